/**
 * A refusal that the client understands. `code` is what the SDK shows as `error.name`; `legacyCode` is the name of the
 * same error in the Query protocol, which SQS sends beside it (AWS JSON protocol, `x-amzn-query-error`).
 */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly legacyCode: string;
  /** More elements of an S3 error document, e.g. `Condition`. */
  readonly details: Readonly<Record<string, string>>;

  constructor(
    code: string,
    status: number,
    message: string,
    more: { legacyCode?: string; details?: Record<string, string> } = {},
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.legacyCode = more.legacyCode ?? code;
    this.details = more.details ?? {};
  }
}
