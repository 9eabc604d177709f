#!/usr/bin/env node
// The way into every command: node bin/run.mjs sandbox|start|test|check|bench [flags].
// Only what an old Node can read stands here, so that it can say that it is too old.
var version = process.versions.node.split(".").map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error("Node.js 20.19 or later is needed; this is " + process.versions.node + ".");
  process.exit(1);
}
void import("./command.mjs").then(function (module) {
  return module.command(process.argv.slice(2));
});
