// Node-RED as it comes, without its editor, and with the one module that a signature wants.
module.exports = {
    flowFile: "flows.json",
    uiHost: "127.0.0.1",
    uiPort: process.env.PORT,
    httpAdminRoot: false,
    functionGlobalContext: { crypto: require("crypto") },
    logging: { console: { level: "warn" } },
};
