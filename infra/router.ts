import { domain } from "./stage.js";

/** CloudFront before everything: TLS, the custom domain, one origin. Who may call is the API's to decide. */
export const router = new sst.aws.Router("Router", { ...(domain && { domain }) });
