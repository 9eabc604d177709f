import { AwsError } from "../aws-error.ts";

/** Errors of the S3 API (API reference, "Error responses"). */
export const noSuchBucket = (bucket: string) =>
  new AwsError("NoSuchBucket", 404, "The specified bucket does not exist", { details: { BucketName: bucket } });

export const noSuchKey = (key: string) =>
  new AwsError("NoSuchKey", 404, "The specified key does not exist.", { details: { Key: key } });

export const noSuchUpload = (upload: string) =>
  new AwsError(
    "NoSuchUpload",
    404,
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { details: { UploadId: upload } },
  );

export const preconditionFailed = (condition: string) =>
  new AwsError("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold", {
    details: { Condition: condition },
  });

export const invalidArgument = (message: string) => new AwsError("InvalidArgument", 400, message);

export const invalidRequest = (message: string) => new AwsError("InvalidRequest", 400, message);

export const badDigest = (what: string) =>
  new AwsError("BadDigest", 400, `The ${what} you specified did not match what we received.`);

export const malformedXml = () =>
  new AwsError(
    "MalformedXML",
    400,
    "The XML you provided was not well-formed or did not validate against our published schema",
  );

export const incompleteBody = () =>
  new AwsError(
    "IncompleteBody",
    400,
    "You did not provide the number of bytes specified by the Content-Length HTTP header",
  );

export const notImplemented = (what: string) =>
  new AwsError("NotImplemented", 501, `The local cloud does not implement ${what}.`);
