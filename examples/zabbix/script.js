// Zabbix media type «Bitrix24 relay», type Webhook (Zabbix 6.0 and later): posts one operation's macros to the relay.
// Relay and token come as relay_url and relay_token; every other parameter is sent as it is. The body holds nothing
// of the moment of sending, so that Zabbix's next attempt is the same bytes, by which the relay knows it.
var parameters = JSON.parse(value), event = {}, request = new HttpRequest(), name, status;

for (name in parameters) {
    if (!/^(relay_|HTTPProxy$)/.test(name)) {
        event[name] = parameters[name];
    }
}
try {
    event.event_tags = JSON.parse(event.event_tags);
} catch (fault) {
    event.event_tags = [];
}

if (parameters.HTTPProxy) {
    request.setProxy(parameters.HTTPProxy);
}
request.addHeader('Content-Type: application/json');
request.addHeader('Authorization: Bearer ' + parameters.relay_token);
request.post(parameters.relay_url, JSON.stringify(event));

status = request.getStatus();
if (status < 200 || status >= 300) {
    throw 'The relay answered ' + status; // what is thrown is tried again, as the media type's attempts say
}
return 'OK';
