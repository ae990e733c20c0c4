// Gets URLs with undici, with one `no_proxy` after another; prints who answered each, or `differs` where proxy-from-env
// would do otherwise. Standard input: {"values": […], "urls": […]}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.env.EGRESSC_NODE + "/");
const { EnvHttpProxyAgent, request } = require("undici");
const { getProxyForUrl } = require("proxy-from-env");

const task = JSON.parse(readFileSync(0, "utf8"));
for (const value of task.values) {
  process.env.no_proxy = process.env.NO_PROXY = value;
  const dispatcher = new EnvHttpProxyAgent();
  for (const url of task.urls) {
    try {
      const said = await (await request(url, { dispatcher })).body.text();
      const other = getProxyForUrl(url) === "" ? "direct" : "proxied";
      console.log(said === other ? said : "differs");
    } catch {
      console.log("error");
    }
  }
  await dispatcher.close();
}
