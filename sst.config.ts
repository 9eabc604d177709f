/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
  app(input) {
    const isProduction = input?.stage === "production";
    return {
      name: "whatsapp-gateway",
      home: "aws",
      removal: isProduction ? "retain" : "remove",
      protect: isProduction,
      // Exact, so that a deploy of an old commit makes what it made then. The tags are for the bill.
      providers: {
        aws: {
          version: "7.20.0",
          defaultTags: { tags: { application: "whatsapp-gateway", stage: input?.stage ?? "" } },
        },
      },
    };
  },
  async run() {
    // SST refuses imports at the top of this file: its globals exist only now.
    const { router } = await import("./infra/router.js");
    const { migrate } = await import("./infra/migrate.js");
    await import("./infra/api.js");
    await import("./infra/deliver.js");
    await import("./infra/sweep.js");
    await import("./infra/socket-host.js");
    await import("./infra/alarms.js");
    await import("./infra/monitoring.js");
    return { url: router.url, migrate: migrate.name };
  },
});
