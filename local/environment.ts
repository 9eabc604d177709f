import { inheritedEnvironment } from "../shared/config.ts";
import type { Aws, Provisioned } from "./provision.ts";

export type Environment = Record<string, string | undefined>;

/** Settings of the operator's own AWS account, database and queues: they must not reach processes that use ours. */
const OURS =
  /^(AWS_|DB_(HOST|PORT|USER|PASSWORD|NAME)$|DATABASE_URL$|COMMAND_QUEUE_URLS$|DELIVERY_QUEUE_URL$|SCHEDULER_|STATE_|MEDIA_BUCKET$|OBJECT_ENDPOINT$|HOST_ID$)/;

/** What every child gets: the operator's settings, then `settings`, then the access to the local cloud. */
export function baseEnvironment(aws: Omit<Aws, "endpoint">, settings: Environment): Environment {
  const inherited = Object.entries(inheritedEnvironment()).filter(([name]) => !OURS.test(name));
  return {
    ...Object.fromEntries(inherited),
    ...settings,
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: aws.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.secretAccessKey,
    // A profile on this machine would go before the key pair, or change how requests are made.
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  };
}

/** What the API and the hosts need besides. */
export function serviceEnvironment(base: Environment, aws: Aws, provisioned: Provisioned, databaseUrl: string) {
  return {
    ...base,
    AWS_ENDPOINT_URL_S3: aws.endpoint,
    AWS_ENDPOINT_URL_SQS: aws.endpoint,
    AWS_ENDPOINT_URL_SCHEDULER: aws.endpoint,
    SCHEDULER_GROUP: provisioned.scheduleGroup,
    SCHEDULER_ROLE_ARN: provisioned.schedulerRoleArn,
    SCHEDULER_DEAD_LETTER_ARN: provisioned.schedulesDeadArn,
    COMMAND_QUEUE_URLS: provisioned.commandQueueUrls.join(","),
    DELIVERY_QUEUE_URL: provisioned.deliveryQueueUrl,
    MEDIA_BUCKET: provisioned.mediaBucket,
    // The local cloud listens for this machine only.
    OBJECT_ENDPOINT: aws.endpoint,
    DATABASE_URL: databaseUrl,
  };
}
