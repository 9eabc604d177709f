import * as z from "zod";
import { eventExamples } from "../../shared/event-examples.ts";
import { eventSchemas } from "../../shared/events.ts";
import type { EventType } from "../../shared/events.ts";
import { addresses, messageContent, messageMedia, messageTarget, person } from "../../shared/message.ts";
import { eventExample } from "../schemas/event.ts";

type Schema = {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  format?: string;
  description?: string;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  $ref?: string;
  properties?: Record<string, Schema>;
  required?: string[];
};

const json = (value: unknown) => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;

/** `docs/events.md`, made of the schemas that are validated against and of the examples. */
export function eventsPage(): string {
  const types = Object.keys(eventSchemas) as EventType[];
  return [
    INTRODUCTION,
    json(eventExample),
    "Below, `data` of each type. Times are ISO 8601 in UTC; what is optional is left out where it does not apply.",
    ...types.map(describeEvent),
    "## Kinds of messages",
    "`message.received` has besides its head, by `messageType`:",
    table(kinds().map(describeKind)),
    "And with any of them, where they apply:",
    fieldsOf({ properties: commonFields() }),
    "## Shapes",
    ...Object.entries({
      Addresses: addresses,
      Person: person,
      MessageTarget: messageTarget,
      MessageMedia: messageMedia,
    }).map(([name, schema]) =>
      [`### ${name}`, schemaOf(schema).description ?? "", fieldsOf(schemaOf(schema))].filter(Boolean).join("\n\n"),
    ),
    "",
  ].join("\n\n");
}

const INTRODUCTION = `# Events

<!-- Made by functions/events-page.test.ts from shared/events.ts, shared/message.ts and shared/event-examples.ts:
     npx vitest run functions/events-page.test.ts -u -->

What the product tells about a device: \`GET /api/whatsapp-multi-device/events\`, and webhooks. An event is recorded before
anything is told about it; \`sequence\` rises by one with each event of a device, without gaps. The same fact is one event,
however often WhatsApp brings it and whatever crashes in between ([message-lifecycle.md](message-lifecycle.md)).`;

function describeEvent(type: EventType): string {
  const schema = schemaOf(eventSchemas[type]);
  const data = schema.properties?.["data"];
  const fields = type === "message.received" ? headOf(data) : fieldsOf(data);
  return [`## ${type}`, schema.description ?? "", ...(fields ? [fields] : []), json(eventExamples[type].data)].join(
    "\n\n",
  );
}

/** What all kinds of messages have. */
function headOf(data: Schema | undefined): string {
  const [first] = data?.oneOf ?? [];
  const head = Object.entries(first?.properties ?? {}).filter(([name]) => !KIND.has(name));
  return fieldsOf({ properties: Object.fromEntries(head), required: first?.required ?? [] });
}

const KIND = new Set(messageContent.options.flatMap((option) => Object.keys(option.shape)));
const COMMON = ["mentions", "quoted", "isForwarded", "isViewOnce", "expiresAfterSeconds"];

/** Without those that are events of their own. */
function kinds(): Schema[] {
  const own = new Set<unknown>(["edit", "delete", "reaction"]);
  return (schemaOf(messageContent).oneOf ?? []).filter(
    ({ properties }) => !own.has(properties?.["messageType"]?.const),
  );
}

function commonFields(): Record<string, Schema> {
  const text = kinds().find((kind) => kind.properties?.["messageType"]?.const === "text");
  return Object.fromEntries(Object.entries(text?.properties ?? {}).filter(([name]) => COMMON.includes(name)));
}

function fieldsOf(schema: Schema | undefined): string {
  const required = new Set(schema?.required);
  return Object.entries(schema?.properties ?? {})
    .map(([name, field]) => {
      const words = [`\`${name}\``, required.has(name) ? "" : " (optional)", `: ${typeOf(field)}`];
      return `- ${words.join("")}${field.description ? `. ${field.description}` : ""}`;
    })
    .join("\n");
}

function describeKind(kind: Schema): string[] {
  const { messageType, ...fields } = kind.properties ?? {};
  const required = new Set(kind.required);
  const own = Object.entries(fields).filter(([name]) => !COMMON.includes(name));
  const words = own.map(([name, field]) => `\`${name}${required.has(name) ? "" : "?"}\` ${typeOf(field)}`);
  return [`\`${String(messageType?.const)}\``, words.join("; ").replaceAll("|", "\\|")];
}

const table = (rows: string[][]) =>
  [["`messageType`", "fields"], ["---", "---"], ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

function typeOf(schema: Schema): string {
  const { $ref, anyOf, oneOf, items, properties } = schema;
  if ($ref) return $ref.slice($ref.lastIndexOf("/") + 1);
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  const several = anyOf ?? oneOf;
  if (several) return several.map(typeOf).join(" or ");
  if (items) return `list of ${typeOf(items)}`;
  if (properties) {
    const isNeeded = (name: string) => schema.required?.includes(name);
    const fields = Object.entries(properties).map(
      ([name, one]) => `${name}${isNeeded(name) ? "" : "?"}: ${typeOf(one)}`,
    );
    return `{${fields.join(", ")}}`;
  }
  return schema.format === "date-time" ? "time" : [schema.type ?? "value"].flat().join(" or ");
}

/** A schema with a name of its own is among its own definitions. */
function schemaOf(schema: z.ZodType): Schema {
  const made = z.toJSONSchema(schema, { io: "input" }) as Schema & { $defs?: Record<string, Schema> };
  return made.$defs?.[made.$ref?.slice(made.$ref.lastIndexOf("/") + 1) ?? ""] ?? made;
}
