/**
 * MessageGroupId, MessageDeduplicationId and ReceiveRequestAttemptId: alphanumeric and punctuation, at most 128
 * characters (API reference, SendMessage and ReceiveMessage).
 */
export const FIFO_ID = /^[\x21-\x7e]{1,128}$/;
