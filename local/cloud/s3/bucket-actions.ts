import type { ServerResponse } from "node:http";
import { AwsError } from "../aws-error.ts";
import type { Exchange } from "../exchange.ts";
import { bucketOf } from "./call.ts";
import type { S3Action, S3Context } from "./call.ts";
import { readSignedBody } from "./signed-body.ts";
import { s3Document, sendXml, textElement } from "./xml.ts";

/** User guide, "General purpose bucket naming rules". */
const BUCKET_NAME = /^(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const LONGEST_CONFIGURATION_BYTES = 64 * 1024;

export async function listBuckets({ buckets }: S3Context, { response }: Exchange): Promise<void> {
  const elements = [...buckets.byName.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, createdAt }) => {
      const created = textElement("CreationDate", new Date(createdAt).toISOString());
      return `<Bucket>${textElement("Name", name)}${created}</Bucket>`;
    });
  sendXml(response, 200, s3Document("ListAllMyBucketsResult", [`<Buckets>${elements.join("")}</Buckets>`]));
}

/** A bucket that exists already is a success in us-east-1 and `BucketAlreadyOwnedByYou` elsewhere (API reference). */
export const createBucket: S3Action = async ({ buckets, commit, now, region }, { exchange, bucket }) => {
  if (!BUCKET_NAME.test(bucket)) throw new AwsError("InvalidBucketName", 400, "The specified bucket is not valid.");
  // The location constraint in it means nothing here.
  await readSignedBody(exchange, LONGEST_CONFIGURATION_BYTES);
  if (!buckets.byName.has(bucket)) {
    await commit({ records: [{ type: "s3.bucket", name: bucket, createdAt: now() }] });
  } else if (region !== "us-east-1") {
    const message = "Your previous request to create the named bucket succeeded and you already own it.";
    throw new AwsError("BucketAlreadyOwnedByYou", 409, message, { details: { BucketName: bucket } });
  }
  end(exchange.response, 200, { location: `/${bucket}` });
};

export const headBucket: S3Action = async (context, call) => {
  bucketOf(context, call);
  end(call.exchange.response, 200, { "x-amz-bucket-region": context.region });
};

export const deleteBucket: S3Action = async (context, call) => {
  const { name, objects } = bucketOf(context, call);
  if (objects.size === 0) await context.commit({ records: [{ type: "s3.bucketDeleted", name }] });
  if (objects.size > 0) {
    const message = "The bucket you tried to delete is not empty";
    throw new AwsError("BucketNotEmpty", 409, message, { details: { BucketName: name } });
  }
  end(call.exchange.response, 204, {});
};

function end(response: ServerResponse, status: number, headers: Record<string, string>): void {
  response.writeHead(status, headers);
  response.end();
}
