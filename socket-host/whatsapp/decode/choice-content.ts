import type { proto } from "@whiskeysockets/baileys";
import * as z from "zod";
import type { MessageContent } from "../../../shared/message.ts";
import { messageContext, present } from "./message-parts.ts";

type Choice = { id: string; text: string };

/** What a business offers to choose from, and what was chosen. */
export function choiceContent(content: proto.IMessage): MessageContent | undefined {
  return replyContent(content) ?? offerContent(content);
}

function replyContent(content: proto.IMessage): MessageContent | undefined {
  const { buttonsResponseMessage: button, templateButtonReplyMessage: template } = content;
  const { listResponseMessage: list, interactiveResponseMessage: flow } = content;
  if (button) return chosen(button.selectedButtonId, button.selectedDisplayText, button.contextInfo);
  if (template) return chosen(template.selectedId, template.selectedDisplayText, template.contextInfo);
  if (list) return chosen(list.singleSelectReply?.selectedRowId, list.title, list.contextInfo);
  if (!flow) return undefined;
  const { id } = parameters(flow.nativeFlowResponseMessage?.paramsJson);
  return chosen(id ?? flow.nativeFlowResponseMessage?.name, flow.body?.text, flow.contextInfo);
}

type Text = string | null | undefined;

const chosen = (id: Text, text: Text, context: proto.IContextInfo | null | undefined): MessageContent => ({
  messageType: "interactive",
  reply: { id: id ?? "", text: text ?? "" },
  ...messageContext(context),
});

function offerContent(content: proto.IMessage): MessageContent | undefined {
  const { buttonsMessage, listMessage, templateMessage, interactiveMessage } = content;
  if (buttonsMessage) {
    const { contentText, footerText, buttons, contextInfo } = buttonsMessage;
    const choices = (buttons ?? []).map(({ buttonId, buttonText }) => choice(buttonId, buttonText?.displayText));
    return offered(contentText, footerText, choices, contextInfo);
  }
  if (listMessage) {
    const { title, description, footerText, sections, contextInfo } = listMessage;
    const rows = (sections ?? []).flatMap((section) => section.rows ?? []);
    const choices = rows.map((row) => choice(row.rowId, row.title));
    return offered(description || title, footerText, choices, contextInfo);
  }
  const hydrated = templateMessage?.hydratedTemplate ?? templateMessage?.hydratedFourRowTemplate;
  if (hydrated) {
    const { hydratedContentText, hydratedFooterText, hydratedButtons } = hydrated;
    const choices = (hydratedButtons ?? []).flatMap(({ quickReplyButton: quick, urlButton, callButton }) =>
      quick ? [choice(quick.id, quick.displayText)] : [choice("", urlButton?.displayText ?? callButton?.displayText)],
    );
    return offered(hydratedContentText, hydratedFooterText, choices, templateMessage?.contextInfo);
  }
  const interactive = interactiveMessage ?? templateMessage?.interactiveMessageTemplate;
  if (!interactive) return undefined;
  const choices = (interactive.nativeFlowMessage?.buttons ?? []).map(({ name, buttonParamsJson }) => {
    const { id, display_text: text } = parameters(buttonParamsJson);
    return choice(id ?? name, text);
  });
  return offered(interactive.body?.text, interactive.footer?.text, choices, interactive.contextInfo);
}

const choice = (id: Text, text: Text): Choice => ({ id: id ?? "", text: text ?? "" });

const offered = (
  text: Text,
  footer: Text,
  choices: Choice[],
  context: proto.IContextInfo | null | undefined,
): MessageContent => ({
  messageType: "buttons",
  text: text ?? "",
  ...present({ footer }),
  choices,
  ...messageContext(context),
});

const flowParameters = z.object({ id: z.string().optional(), display_text: z.string().optional() }).catch({});

/** Of a native flow, as JSON written by the other side. */
function parameters(json: Text): z.infer<typeof flowParameters> {
  try {
    return flowParameters.parse(JSON.parse(json ?? ""));
  } catch {
    return {};
  }
}
