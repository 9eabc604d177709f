import { BESIDE_BUNDLES, OUTSIDE_BUNDLES } from "./function-bundle.js";
import { callers, vpc } from "./network.js";
import { isProduction } from "./stage.js";

/**
 * Connections of one function instance: it serves one request at a time, and a request never needs more than two.
 * Reserved concurrency times this, over all functions, with the hosts' pools stays under the database's limit.
 */
export const FUNCTION_POOL_SIZE = "2";

/** What all functions have in common. */
export const functionDefaults = {
  runtime: "nodejs24.x",
  architecture: "arm64",
  vpc: { privateSubnets: vpc.privateSubnets, securityGroups: [callers.id] },
  logging: { retention: isProduction ? "3 months" : "1 week", format: "json" },
  // What is imported where it is needed becomes a file of its own, which a cold start does not read.
  nodejs: { format: "esm", splitting: true, minify: true, sourcemap: true, esbuild: { external: OUTSIDE_BUNDLES } },
  copyFiles: BESIDE_BUNDLES,
  transform: {
    role: (role) => {
      // The component lets everybody in the account wear the role, which only `sst dev` needs.
      if (!$dev) role.assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" });
      return undefined;
    },
  },
} satisfies Partial<sst.aws.FunctionArgs>;
