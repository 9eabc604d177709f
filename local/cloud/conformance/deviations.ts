/**
 * By target: the cases that are known to fail there, and what it does instead. `local` is this program. `aws` is empty:
 * the cases say what AWS documents, but nobody has run them there yet. The others are of the versions named.
 */
export const DEVIATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  local: {},
  aws: {},
  /** moto 5.2.5 */
  moto: {
    "s3: DeleteObjects removes many, and is quiet where it is told to": "not quiet",
    "s3: a checksum that does not fit is refused": "takes the content",
    "s3: the CRC32 of an object comes back": "no checksum type",
    "s3: a key of 1,025 bytes is refused": "takes it",
    "s3: CopyObject copies content and metadata, or replaces the latter": "ignores conditions on the source",
    "s3: a multipart upload with wrong parts is refused": "EntityTooSmall before the order is looked at",
    "s3: presigned URLs do one thing for a while": "does not verify signatures",
    "s3: a wrong secret is refused": "does not verify signatures",
    "sqs: characters that XML cannot carry are refused": "takes them",
    "sqs: the entries of a batch succeed and fail by themselves": "takes characters that XML cannot carry",
    "sqs: messages of a group come in order, several in one receive": "sequence numbers do not rise",
    "sqs: a deduplication id makes one message of several, also after its deletion": "answers with another message id",
    "sqs: a receive attempt can be repeated": "ignores the attempt id",
    "sqs: an expired handle does not delete": "deletes",
    "sqs: messages that are received too often become dead letters, and can be moved back": "no source attribute",
    "scheduler: a schedule comes back with its defaults": "no default time zone",
    "scheduler: what is not there is not found": "answers with 500 for a group",
    "scheduler: an update replaces everything": "keeps the state",
    "scheduler: a request with the same client token is done once": "ignores the token",
    "scheduler: a name with other characters is refused": "takes it",
    "scheduler: an expression that is none is refused": "takes it",
    "scheduler: an at expression with a fraction is refused": "takes it",
    "scheduler: cron with both kinds of days is refused": "takes it",
    "scheduler: a rate of seconds is refused": "takes it",
    "scheduler: a zone that is none is refused": "takes it",
    "scheduler: a window of a week is refused": "takes it",
    "scheduler: a start long ago is refused": "takes it, for a rate",
    "scheduler: a FIFO queue for dead letters is refused": "takes it",
    "scheduler: an overdue schedule sends to a FIFO queue, and goes": "invokes nothing",
    "scheduler: context attributes are replaced in the input": "invokes nothing",
    "scheduler: a universal target sends what its input says": "invokes nothing",
    "scheduler: an invocation that fails becomes a dead letter": "invokes nothing",
  },
  /** ElasticMQ 1.7.1 */
  elasticmq: {
    "sqs: attributes have their defaults": "no MaximumMessageSize, no MessageRetentionPeriod",
    "sqs: a message of 1 MiB is taken, a longer one refused": "InvalidAttributeValue",
    "sqs: characters that XML cannot carry are refused": "InvalidAttributeValue",
    "sqs: batches that make no sense are refused": "takes one of them",
    "sqs: an expired handle does not delete": "ReceiptHandleIsInvalid",
  },
};
