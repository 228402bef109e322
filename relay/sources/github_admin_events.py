"""GitHub's events around security, settings, organizations and plans: the second half of the table `github_events`.

Only a table, and it reads no payload.
"""

from __future__ import annotations

from relay.sources.github_row import ALERT, ASKED, CI, WORK, Row

# fmt: off
# ── Security ──────────────────────────────────────────────────────────────────────────────────────────────────
# The repository's owner, where that is a person; of an organization's repository GitHub names no admin.

SECRET = Row(
    concerns="owner",
    key="{R}:secret:{N}",
    title="{alert.secret_type_display_name|alert.secret_type}", text="{alert.resolution_comment}",
    url="{alert.html_url}",
    state=(ALERT, "{alert.state|alert.resolution|ACTION}"),
    conclusion="{alert.resolution}",
    severity="{alert.publicly_leaked}",
    number="alert.number",
    started_at="{alert.created_at}",
    assignees="alert.assigned_to",
    owners="alert.push_protection_bypassed_by repository.owner",
)

SECURITY = {
    "dependabot_alert": Row(
        concerns="assignee owner",
        key="{R}:dependabot:{N}",
        title="{alert.security_advisory.summary|alert.dependency.package.name}",
        text="{alert.security_advisory.description}",
        url="{alert.html_url}",
        state=(ALERT, "{alert.state|ACTION}"),
        conclusion="{alert.dismissed_reason}",
        severity="{alert.security_advisory.severity|alert.security_vulnerability.severity}",
        number="alert.number",
        paths="alert.dependency.manifest_path",
        started_at="{alert.created_at}",
        assignees="alert.assignees[]",
        owners="alert.dismissed_by repository.owner",
    ),
    "code_scanning_alert": Row(
        concerns="assignee owner",
        key="{R}:code-scanning:{N}",
        title="{alert.rule.description|alert.rule.id}",
        text="{alert.most_recent_instance.message.text|alert.rule.full_description}",
        url="{alert.html_url}",
        state=(ALERT, "{alert.state|ACTION}"),
        conclusion="{alert.dismissed_reason}",
        severity="{alert.rule.security_severity_level|alert.rule.severity}",
        number="alert.number",
        branch="REF",
        paths="alert.most_recent_instance.location.path",
        started_at="{alert.created_at}",
        assignees="alert.assignees[]",
        owners="alert.dismissed_by repository.owner",
    ),
    "secret_scanning_alert": SECRET,
    "secret_scanning_alert.publicly_leaked": Row(severity="publicly_leaked"),
    "secret_scanning_alert.assigned": Row(concerns="assignee", assignees="assignee|alert.assigned_to"),
    "secret_scanning_alert.unassigned": Row(concerns="assignee", assignees="assignee"),
    "secret_scanning_alert_location": SECRET,
    "secret_scanning_scan": Row(concerns="owner", title="{R}", text="{type} {source}", owners="repository.owner"),
    "repository_vulnerability_alert": Row(
        concerns="owner",
        key="{R}:vuln:{alert.id}",
        title="{alert.affected_package_name} {alert.affected_range}", text="{alert.dismiss_reason}",
        url="{alert.html_url} {alert.external_reference}",
        state=(ALERT, "{alert.state|ACTION}"),
        conclusion="{alert.dismiss_reason}",
        severity="{alert.severity}",
        number="alert.number",
        started_at="{alert.created_at}",
        owners="alert.dismisser repository.owner",
    ),
    "repository_advisory": Row(
        concerns="owner",
        key="GHSA:{repository_advisory.ghsa_id}",
        title="{repository_advisory.summary}", text="{repository_advisory.description}",
        url="{repository_advisory.html_url}",
        state=(ASKED, "{ACTION}"),
        severity="{repository_advisory.severity}",
        started_at="{repository_advisory.created_at|repository_advisory.published_at}",
        author="repository_advisory.author",
        owners="repository.owner",
    ),
    "security_advisory": Row(  # of GitHub's own database: about no repository, from nobody
        key="GHSA:{security_advisory.ghsa_id}",
        title="{security_advisory.summary}", text="{security_advisory.description}",
        url="https://github.com/advisories/{security_advisory.ghsa_id}",
        severity="{security_advisory.severity}",
        started_at="{security_advisory.published_at}",
    ),
    "security_advisory.withdrawn": Row(state="resolved"),
}

# ── Settings of repositories ──────────────────────────────────────────────────────────────────────────────────

SETTINGS_OF_REPOSITORY = Row(concerns="owner", key="{R}:settings:{EVENT}", title="{R}", owners="repository.owner")

SETTINGS = {
    "security_and_analysis": SETTINGS_OF_REPOSITORY,
    "public": SETTINGS_OF_REPOSITORY,
    "repository": SETTINGS_OF_REPOSITORY | Row(text="{repository.description}"),
    "repository_import": SETTINGS_OF_REPOSITORY | Row(
        state=(CI, "{status}"), conclusion="{status}"
    ),
    "custom_property_values": SETTINGS_OF_REPOSITORY | Row(text="- {new_property_values[].property_name}"),
    "branch_protection_configuration": SETTINGS_OF_REPOSITORY,
    "branch_protection_rule": SETTINGS_OF_REPOSITORY | Row(
        key="{R}:settings:{EVENT}:{rule.id}", title="{rule.name}", branch="rule.name"
    ),
    "repository_ruleset": SETTINGS_OF_REPOSITORY | Row(
        key="{R}:settings:{EVENT}:{repository_ruleset.id}",
        title="{repository_ruleset.name}", url="{repository_ruleset._links.html.href}",
    ),
    "deploy_key": SETTINGS_OF_REPOSITORY | Row(key="{R}:settings:{EVENT}:{key.id}", title="{key.title}"),
    "member": SETTINGS_OF_REPOSITORY | Row(
        key="{R}:settings:{EVENT}:{member.id}", title="{member.login}",
        owners="member repository.owner",
    ),
    "ping": Row(key="hook:{hook_id}", title="{zen}"),
    "meta": Row(key="hook:{hook_id}", title="{hook.name|hook_id}", state="closed"),
}

# ── Organizations, teams, applications ────────────────────────────────────────────────────────────────────────
# «owner» is the person whose membership or token it is; a team that somebody joins stands as «assignee».

TEAM = Row(
    concerns="assignee", key="org:team:{team.id}", title="{team.name}", text="{team.description}",
    url="{team.html_url}", assignees="team",
)
INSTALLATION = Row(
    concerns="owner", key="installation:{installation.id}",
    title="{installation.app_slug|installation.account.login|EVENT}",
    url="{installation.html_url}", owners="requester installation.account",
)
ORGANIZATION = Row(concerns="", key="org:{organization.login}", title="{organization.login}", owners="")

PEOPLE = {
    "organization": Row(
        concerns="owner",
        key="org:{organization.login}:member:{invitation.login|user.login|membership.user.login}",
        title="{invitation.login|user.login|membership.user.login|organization.login}",
        owners="user|membership.user|invitation",
    ),
    "organization.renamed": ORGANIZATION,
    "organization.deleted": ORGANIZATION | Row(state="closed"),
    "membership": TEAM | Row(concerns="owner assignee", title="{member.login} ({team.name})", owners="member"),
    "team": TEAM,
    "team_add": TEAM,
    "org_block": Row(key="org:block:{blocked_user.login}", title="{blocked_user.login}"),
    "personal_access_token_request": Row(
        concerns="owner",
        key="org:pat:{personal_access_token_request.id}",
        title="{personal_access_token_request.token_name|personal_access_token_request.owner.login}",
        state=(ASKED, "{ACTION}"),
        started_at="{personal_access_token_request.created_at}",
        owners="personal_access_token_request.owner",
    ),
    "installation": INSTALLATION | Row(text="- {repositories[].full_name}"),
    "installation.deleted": Row(state="closed"),
    "installation_repositories": INSTALLATION | Row(
        text="- {repositories_added[].full_name|repositories_removed[].full_name}"
    ),
    "installation_target": INSTALLATION | Row(title="{account.login}"),
    "github_app_authorization": Row(concerns="actor", key="authorization:{sender.login}", title="{sender.login}"),
    "custom_property": Row(key="org:property:{definition.property_name}", title="{definition.property_name}"),
}

# ── Planning and money ────────────────────────────────────────────────────────────────────────────────────────

PLANNING = {
    "projects_v2": Row(
        concerns="author", key="project:{projects_v2.node_id}", title="{projects_v2.title}",
        text="{projects_v2.short_description|projects_v2.description}", state=(WORK, "{projects_v2.state}"),
        number="projects_v2.number", author="projects_v2.creator",
    ),
    "projects_v2_item": Row(
        concerns="author", key="project:{projects_v2_item.node_id}", title="{projects_v2_item.content_type|EVENT}",
        author="projects_v2_item.creator",
    ),
    "projects_v2_status_update": Row(
        concerns="author", key="project:{projects_v2_status_update.project_node_id}:status",
        title="{projects_v2_status_update.status|EVENT}", text="{projects_v2_status_update.body}",
        conclusion="{projects_v2_status_update.status}", author="projects_v2_status_update.creator",
    ),
    "project": Row(
        concerns="author", key="project:{project.id}", title="{project.name}", text="{project.body}",
        url="{project.html_url}", state=(WORK, "{project.state}"), author="project.creator",
    ),
    "project_column": Row(key="project:column:{project_column.id}", title="{project_column.name}"),
    "project_card": Row(
        concerns="author", key="project:card:{project_card.id}", title="{project_card.note|EVENT}",
        text="{project_card.note}", author="project_card.creator",
    ),
    "sponsorship": Row(
        concerns="owner", key="sponsorship:{sponsorship.node_id}",
        title="{sponsorship.sponsor.login} ({sponsorship.tier.name})", owners="sponsorship.sponsorable",
    ),
    "marketplace_purchase": Row(
        key="marketplace:{marketplace_purchase.account.id}",
        title="{marketplace_purchase.account.login} ({marketplace_purchase.plan.name})",
    ),
}
# fmt: on
