import { createBucket, deleteBucket, headBucket } from "./bucket-actions.ts";
import type { S3Action } from "./call.ts";
import { completeMultipartUpload } from "./complete-upload.ts";
import { copyObject } from "./copy-object.ts";
import { deleteObject, deleteObjects } from "./delete-objects.ts";
import { getObject, headObject } from "./get-object.ts";
import { deleteLifecycle, getLifecycle, putLifecycle } from "./lifecycle.ts";
import { listObjects } from "./list-objects.ts";
import { listMultipartUploads, listParts } from "./list-uploads.ts";
import { putObject } from "./put-object.ts";
import { abortMultipartUpload, createMultipartUpload, uploadPart, uploadPartCopy } from "./uploads.ts";

/** Parameters that make another operation of the same method and path. */
const SELECTING = ["delete", "lifecycle", "list-type", "partNumber", "uploadId", "uploads"];
/** Parameters of every operation. */
const COMMON = /^(x-id|x-amz-.*)$/i;
const OVERRIDES = /^response-(cache-control|content-(disposition|encoding|language|type)|expires)$/;

type Route = { action: S3Action; parameters?: RegExp };

/** By method, kind of resource, selecting parameters in the order above, and `copy` where a source to copy is named. */
const ROUTES = new Map<string, Route>([
  ["PUT bucket", { action: createBucket }],
  ["HEAD bucket", { action: headBucket }],
  ["DELETE bucket", { action: deleteBucket }],
  ["POST bucket delete", { action: deleteObjects }],
  [
    "GET bucket list-type",
    {
      action: listObjects,
      parameters: /^(prefix|delimiter|max-keys|start-after|continuation-token|encoding-type|fetch-owner)$/,
    },
  ],
  [
    "GET bucket uploads",
    { action: listMultipartUploads, parameters: /^(prefix|key-marker|upload-id-marker|max-uploads|encoding-type)$/ },
  ],
  ["PUT bucket lifecycle", { action: putLifecycle }],
  ["GET bucket lifecycle", { action: getLifecycle }],
  ["DELETE bucket lifecycle", { action: deleteLifecycle }],
  ["PUT object", { action: putObject }],
  ["PUT object copy", { action: copyObject }],
  ["GET object", { action: getObject, parameters: OVERRIDES }],
  ["HEAD object", { action: headObject, parameters: OVERRIDES }],
  ["DELETE object", { action: deleteObject }],
  ["POST object uploads", { action: createMultipartUpload }],
  ["PUT object partNumber uploadId", { action: uploadPart }],
  ["PUT object partNumber uploadId copy", { action: uploadPartCopy }],
  ["POST object uploadId", { action: completeMultipartUpload }],
  ["DELETE object uploadId", { action: abortMultipartUpload }],
  ["GET object uploadId", { action: listParts, parameters: /^(max-parts|part-number-marker|encoding-type)$/ }],
]);

/** What a request asks for, or why that cannot be had: `unknown` is the parameter that stands for something else. */
export function findRoute(
  method: string,
  kind: "bucket" | "object",
  query: ReadonlyMap<string, string>,
  copies: boolean,
): S3Action | { unknown: string | undefined } {
  const selecting = SELECTING.filter((name) => query.has(name));
  const route = ROUTES.get([method, kind, ...selecting, ...(copies ? ["copy"] : [])].join(" "));
  const others = [...query.keys()].filter((name) => !SELECTING.includes(name) && !COMMON.test(name));
  const unknown = others.find((name) => !route?.parameters?.test(name));
  if (!route || unknown !== undefined) return { unknown: unknown ?? selecting[0] };
  return route.action;
}
