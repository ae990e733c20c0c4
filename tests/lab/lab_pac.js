// Two questions to a PAC file, asked by Node: is it ECMAScript 3, and what does pac-resolver answer?
// usage: node lab_pac.js FOLDER_OF_MODULES FILE < pairs of URL and host, as JSON; the answers come as JSON.
"use strict";
const fs = require("fs");
const path = require("path");
const load = (name) => require(path.join(process.argv[2], name));
const text = fs.readFileSync(process.argv[3], "utf8");

async function main() {
  const es3 = [];
  try {
    load("acorn").parse(text, { ecmaVersion: 3, sourceType: "script", allowReserved: false });
  } catch (error) {
    es3.push(String(error));
  }
  const { getQuickJS } = load("@tootallnate/quickjs-emscripten");
  const ask = load("pac-resolver").createPacResolver(await getQuickJS(), text);
  const answers = [];
  for (const [url, host] of JSON.parse(fs.readFileSync(0, "utf8"))) answers.push(await ask(url, host));
  console.log(JSON.stringify({ es3, answers }));
}

main();
