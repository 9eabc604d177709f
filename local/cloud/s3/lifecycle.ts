import { randomUUID } from "node:crypto";
import { AwsError } from "../aws-error.ts";
import { bucketOf } from "./call.ts";
import type { S3Action, S3Context } from "./call.ts";
import { invalidArgument, invalidRequest, malformedXml, notImplemented } from "./errors.ts";
import { DAY_MS } from "./lifecycle-rule.ts";
import type { LifecycleRule } from "./lifecycle-rule.ts";
import { keyBytes, keyText } from "./object-key.ts";
import type { S3Record } from "./records.ts";
import { readSignedBody } from "./signed-body.ts";
import { childText, parseXml, s3Document, sendXml, textElement } from "./xml.ts";
import type { XmlElement } from "./xml.ts";

const LONGEST_BODY_BYTES = 1024 * 1024;
/** User guide, "Lifecycle configuration elements". */
const MOST_RULES = 1000;
const LONGEST_ID = 255;
const KNOWN_ELEMENTS = new Set([
  "ID",
  "Status",
  "Prefix",
  "Filter",
  "Expiration",
  "AbortIncompleteMultipartUpload",
  "Days",
  "Date",
  "DaysAfterInitiation",
]);

export const putLifecycle: S3Action = async (context, call) => {
  const { name } = bucketOf(context, call);
  const rules = parseRules((await readSignedBody(call.exchange, LONGEST_BODY_BYTES)).toString("utf8"));
  await setRules(context, name, rules);
  call.exchange.response.writeHead(200, { "content-length": 0 });
  call.exchange.response.end();
};

export const getLifecycle: S3Action = async (context, call) => {
  const { name, lifecycle } = bucketOf(context, call);
  if (lifecycle.length === 0) {
    const message = "The lifecycle configuration does not exist";
    throw new AwsError("NoSuchLifecycleConfiguration", 404, message, { details: { BucketName: name } });
  }
  sendXml(call.exchange.response, 200, s3Document("LifecycleConfiguration", lifecycle.map(ruleElement)));
};

export const deleteLifecycle: S3Action = async (context, call) => {
  const { name } = bucketOf(context, call);
  await setRules(context, name, []);
  call.exchange.response.writeHead(204);
  call.exchange.response.end();
};

async function setRules({ commit }: S3Context, bucket: string, rules: LifecycleRule[]): Promise<void> {
  const record: S3Record = { type: "s3.lifecycle", bucket, rules };
  await commit({ records: [record] });
}

function parseRules(document: string): LifecycleRule[] {
  const root = parseXml(document);
  const rules = root.children.filter(({ name }) => name === "Rule").map(parseRule);
  if (root.name !== "LifecycleConfiguration" || rules.length === 0 || rules.length > MOST_RULES) throw malformedXml();
  if (new Set(rules.map(({ id }) => id)).size < rules.length) {
    throw invalidArgument("Rule ID must be unique. Found same ID for more than one rule");
  }
  return rules;
}

/** A rule that says more than what is understood is refused: it would delete more, or less, than was meant. */
function parseRule(rule: XmlElement): LifecycleRule {
  const child = (name: string) => rule.children.find((element) => element.name === name);
  const filter = child("Filter");
  const expiration = child("Expiration");
  const abort = child("AbortIncompleteMultipartUpload");
  for (const { name } of [rule, filter, expiration, abort].flatMap((element) => element?.children ?? [])) {
    if (!KNOWN_ELEMENTS.has(name)) throw notImplemented(`${name} in a lifecycle rule`);
  }
  const status = childText(rule, "Status");
  const legacyPrefix = childText(rule, "Prefix");
  const id = childText(rule, "ID") || randomUUID();
  if (status !== "Enabled" && status !== "Disabled") throw malformedXml();
  if ((filter === undefined) === (legacyPrefix === undefined)) throw malformedXml();
  if (id.length > LONGEST_ID) throw invalidArgument("ID length should not exceed allowed limit of 255");
  if (!expiration && !abort) throw invalidRequest("At least one action needs to be specified in a rule");
  const prefix = legacyPrefix ?? (filter && childText(filter, "Prefix")) ?? "";
  return {
    id,
    enabled: status === "Enabled",
    prefix: keyBytes(prefix),
    legacyPrefix: filter === undefined,
    ...(expiration && { expiration: parseExpiration(expiration) }),
    ...(abort && { abortUploadsAfterDays: parseDays(childText(abort, "DaysAfterInitiation")) }),
  };
}

function parseExpiration(expiration: XmlElement): NonNullable<LifecycleRule["expiration"]> {
  const days = childText(expiration, "Days");
  const date = childText(expiration, "Date");
  if ((days === undefined) === (date === undefined)) throw malformedXml();
  if (date === undefined) return { days: parseDays(days) };
  const at = Date.parse(date);
  if (Number.isNaN(at)) throw malformedXml();
  if (at % DAY_MS === 0) return { date: at };
  throw invalidArgument("'Date' must be at midnight GMT");
}

function parseDays(text: string | undefined): number {
  if (/^\d{1,9}$/.test(text ?? "") && Number(text) > 0) return Number(text);
  throw invalidArgument("'Days' for Expiration action must be a positive integer");
}

function ruleElement({ id, enabled, prefix, legacyPrefix, ...actions }: LifecycleRule): string {
  const { expiration, abortUploadsAfterDays } = actions;
  const prefixElement = textElement("Prefix", keyText(prefix));
  const end =
    expiration &&
    ("days" in expiration
      ? textElement("Days", expiration.days)
      : textElement("Date", new Date(expiration.date).toISOString()));
  const parts = [
    textElement("ID", id),
    legacyPrefix ? prefixElement : `<Filter>${prefixElement}</Filter>`,
    textElement("Status", enabled ? "Enabled" : "Disabled"),
    ...(end ? [`<Expiration>${end}</Expiration>`] : []),
    ...(abortUploadsAfterDays === undefined
      ? []
      : [
          `<AbortIncompleteMultipartUpload>${textElement("DaysAfterInitiation", abortUploadsAfterDays)}</AbortIncompleteMultipartUpload>`,
        ]),
  ];
  return `<Rule>${parts.join("")}</Rule>`;
}
