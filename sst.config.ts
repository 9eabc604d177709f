/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
  app(input) {
    const isProduction = input?.stage === "production";
    return {
      name: "whatsapp-gateway",
      home: "aws",
      removal: isProduction ? "retain" : "remove",
      protect: isProduction,
      // Exact, so that a deploy of an old commit makes what it made then.
      providers: { aws: { version: "7.20.0" } },
    };
  },
  async run() {
    // SST refuses imports at the top of this file: its globals exist only now.
    const { stateBucket } = await import("./infra/storage.js");
    const { commandQueues } = await import("./infra/queues.js");
    return { stateBucket: stateBucket.name, commandQueueUrls: $util.all(commandQueues.map((queue) => queue.url)) };
  },
});
