/** The only place that knows stage names, and the only one that reads what a deploy is given besides secrets. */
export const isProduction = $app.stage === "production";

/** Command queues, and so the most hosts that can share the work. A device keeps the shard that it was created in. */
export const SHARDS = 16;

/** What everything of this stage is named after where AWS wants a name of our own. */
export const prefix = `${$app.name}-${$app.stage}`;

/** The name that the API is reached by, with its zone in Route 53; without it, a name of CloudFront's. */
export const domain = process.env.GATEWAY_DOMAIN;

/** Who is told of alarms; SNS asks the address for its consent once. */
export const alarmEmail = process.env.ALARM_EMAIL;
