// What AWS and the other providers would answer: ids and addresses of new resources, and the few things that are asked.
const ACCOUNT = "123456789012";
const REGION = "eu-west-1";

const arn = (service, rest, region = REGION) => `arn:aws:${service}:${region}:${ACCOUNT}:${rest}`;

/** For resources whose ARN nobody looks at closely. */
export const anyArn = (type, name) => arn(type.split(":")[1]?.split("/")[0] ?? "unknown", name);

const named = (service, kind) => (name, inputs) => ({
  name: inputs.name ?? name,
  arn: arn(service, kind ? `${kind}${inputs.name ?? name}` : (inputs.name ?? name)),
});

/** The computed attributes of a new resource, by its type; the name and what was asked for are given. */
export const attributes = {
  "aws:sqs/queue:Queue": (name, inputs) => {
    const queue = inputs.name ?? name;
    const url = `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${queue}`;
    return { id: url, url, name: queue, arn: arn("sqs", queue) };
  },
  "aws:s3/bucket:Bucket": (name, inputs) => {
    const bucket = inputs.bucket ?? name.toLowerCase();
    return {
      id: bucket,
      bucket,
      arn: `arn:aws:s3:::${bucket}`,
      bucketDomainName: `${bucket}.s3.amazonaws.com`,
      bucketRegionalDomainName: `${bucket}.s3.${REGION}.amazonaws.com`,
    };
  },
  "aws:iam/role:Role": (name, inputs) => {
    const role = inputs.name ?? name;
    return { id: role, name: role, arn: arn("iam", `role/${role}`, "") };
  },
  "aws:lambda/function:Function": (name, inputs) => {
    const fn = inputs.name ?? name;
    return { id: fn, name: fn, arn: arn("lambda", `function:${fn}`), version: "$LATEST" };
  },
  "aws:lambda/functionUrl:FunctionUrl": (name) => ({
    functionUrl: `https://${name.toLowerCase()}.lambda-url.${REGION}.on.aws/`,
  }),
  "aws:lambda/invocation:Invocation": () => ({ result: "{}" }),
  "aws:rds/instance:Instance": (name, inputs) => ({
    identifier: name.toLowerCase(),
    address: `${name.toLowerCase()}.${REGION}.rds.amazonaws.com`,
    endpoint: `${name.toLowerCase()}.${REGION}.rds.amazonaws.com:3306`,
    port: 3306,
    tagsAll: inputs.tags ?? {},
  }),
  "aws:ecs/cluster:Cluster": named("ecs", "cluster/"),
  "aws:ecs/service:Service": named("ecs", "service/"),
  "aws:ecs/taskDefinition:TaskDefinition": (name, inputs) => ({
    arn: arn("ecs", `task-definition/${inputs.family ?? name}:1`),
    arnWithoutRevision: arn("ecs", `task-definition/${inputs.family ?? name}`),
  }),
  "aws:scheduler/scheduleGroup:ScheduleGroup": named("scheduler", "schedule-group/"),
  "aws:ec2/vpc:Vpc": (_, inputs) => ({ id: "vpc-1", cidrBlock: inputs.cidrBlock, arn: arn("ec2", "vpc/vpc-1") }),
  "aws:ec2/instance:Instance": (name) => ({ primaryNetworkInterfaceId: `eni-${name}` }),
  "aws:cloudwatch/logGroup:LogGroup": named("logs", "log-group:"),
  "aws:sns/topic:Topic": named("sns"),
  "aws:ssm/parameter:Parameter": (name, inputs) => ({ name: inputs.name, arn: arn("ssm", `parameter${inputs.name}`) }),
  "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": (name, inputs) => ({
    id: `ns-${name.toLowerCase()}`,
    name: inputs.name ?? "sst",
  }),
  "aws:cloudfront/distribution:Distribution": (name) => ({
    domainName: "d111111abcdef8.cloudfront.net",
    hostedZoneId: "Z2FDTNDATAQYW2",
    arn: arn("cloudfront", `distribution/${name}`, ""),
  }),
  "random:index/randomPassword:RandomPassword": (_, inputs) => ({ result: "GENERATED".repeat(inputs.length ?? 16) }),
  "random:index/randomBytes:RandomBytes": (_, inputs) => ({
    base64: Buffer.alloc(inputs.length ?? 32, 7).toString("base64"),
    hex: Buffer.alloc(inputs.length ?? 32, 7).toString("hex"),
  }),
  "random:index/randomId:RandomId": () => ({ hex: "00ff00ff", dec: "1", b64Std: "AA==" }),
  "tls:index/privateKey:PrivateKey": () => ({ privateKeyOpenssh: "private", publicKeyOpenssh: "public" }),
  "docker-build:index:Image": () => ({ digest: `sha256:${"0".repeat(64)}`, ref: "image" }),
};

/** The provider only renders JSON here, so it is rendered: the rules read the policies. */
function renderPolicy(inputs) {
  const Statement = (inputs.statements ?? []).map((statement) => ({
    Sid: statement.sid,
    Effect: statement.effect ?? "Allow",
    Action: statement.actions,
    NotAction: statement.notActions,
    Resource: statement.resources,
    Principal:
      statement.principals &&
      Object.fromEntries(statement.principals.map(({ type, identifiers }) => [type, identifiers])),
    Condition: statement.conditions?.reduce(
      (all, { test, variable, values }) => ({ ...all, [test]: { ...all[test], [variable]: values } }),
      {},
    ),
  }));
  const json = JSON.stringify({ Version: "2012-10-17", Statement });
  // As the provider does: of an empty list nothing comes back.
  return {
    ...inputs,
    statements: Statement.length ? inputs.statements : undefined,
    json,
    minifiedJson: json,
    id: "policy",
  };
}

/** What the configuration asks the providers. */
export const answers = {
  "aws:index/getRegion:getRegion": () => ({ region: REGION, name: REGION, id: REGION }),
  "aws:index/getPartition:getPartition": () => ({ partition: "aws", dnsSuffix: "amazonaws.com", id: "aws" }),
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({
    accountId: ACCOUNT,
    arn: arn("iam", "user/somebody", ""),
    userId: "somebody",
    id: ACCOUNT,
  }),
  "aws:index/getAvailabilityZones:getAvailabilityZones": () => ({
    names: ["a", "b", "c"].map((zone) => REGION + zone),
    zoneIds: [],
    id: REGION,
  }),
  "aws:ec2/getAmi:getAmi": () => ({ id: "ami-1", architecture: "arm64" }),
  "aws:ecr/getAuthorizationToken:getAuthorizationToken": () => ({
    proxyEndpoint: "https://ecr.invalid",
    userName: "AWS",
    password: "token",
    authorizationToken: "token",
  }),
  "aws:cloudfront/getCachePolicy:getCachePolicy": () => ({ id: "cache-policy" }),
  "aws:cloudfront/getOriginRequestPolicy:getOriginRequestPolicy": () => ({ id: "origin-policy" }),
  "aws:iam/getPolicyDocument:getPolicyDocument": renderPolicy,
};
