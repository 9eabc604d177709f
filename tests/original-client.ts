/**
 * A program as users of the original service have it: nothing but the requests that its README documents, and the
 * conditions it names. It knows neither commands nor idempotency keys; its base URL and token are all that is set anew.
 * What people do (scanning, typing a code, writing back) is asked of whoever runs it.
 */
export type OriginalClientOptions = {
  baseUrl: string;
  token: string;
  /** The phone that is linked by QR, and the one that is linked by code; numbers as `62…`. */
  phone: string;
  secondPhone: string;
  /** Whom it writes to: two people and one who is not on WhatsApp. */
  friend: string;
  other: string;
  nobody: string;
  /** Links to an image and to a PDF, and the bytes of an image. */
  imageUrl: string;
  pdfUrl: string;
  image: Buffer;
  scanQr(qr: string): Promise<void>;
  enterCode(code: string): Promise<void>;
  /** The friend writes this to the linked phone. */
  friendWrites(text: string): Promise<void>;
};

type Json = Record<string, unknown>;
// oxlint-disable-next-line typescript/no-explicit-any -- a client of the original had no types either; a wrong answer fails where it is used
type Data = any;
type Fields = Record<string, string | Blob>;

const TIMESTAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;
const POLL_MS = 200;
const PATIENCE_MS = 60_000;
const AN_HOUR_MS = 3_600_000;

/** Runs the whole flow; answers the data of each step by its name, and throws at the first answer that is not as documented. */
export async function originalClient(options: OriginalClientOptions): Promise<Record<string, Data>> {
  const answers: Record<string, Data> = {};
  const live = "/api/whatsapp-multi-device";
  const device = `${live}/devices/device-001`;
  const data = "/api/whatsapp";

  const request = (method: string, path: string, body?: Json | Fields, asForm = false) =>
    fetch(options.baseUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${options.token}`,
        ...(body && !asForm && { "content-type": "application/json" }),
      },
      ...(body && { body: asForm ? form(body as Fields) : JSON.stringify(body) }),
    });
  const call = async (method: string, path: string, body?: Json | Fields, asForm = false): Promise<Data> => {
    const response = await request(method, path, body, asForm);
    const answer = (await response.json()) as { success: unknown; message: unknown; data: unknown; timestamp: string };
    const isDocumented =
      response.ok &&
      answer.success === true &&
      typeof answer.message === "string" &&
      typeof answer.data === "object" &&
      TIMESTAMP.test(answer.timestamp);
    if (!isDocumented) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer.data;
  };
  const refused = async (method: string, path: string, body?: Json): Promise<number> => {
    const response = await request(method, path, body);
    const answer = (await response.json()) as { success: unknown; message: unknown };
    if (answer.success !== false || typeof answer.message !== "string") throw new Error(`${path} was not refused`);
    return response.status;
  };
  const poll = async (path: string, isDone: (data: Data) => boolean): Promise<Data> => {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const response = await request("GET", path);
      const answer = (await response.json()) as { data?: Data };
      if (response.ok && isDone(answer.data)) return answer.data;
      if (Date.now() > deadline) throw new Error(`${path}: still ${response.status} ${JSON.stringify(answer)}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  const { friend, other } = options;

  // Create, connect, scan, connected.
  answers["wrongDeviceId"] = await refused("POST", `${live}/devices`, { deviceId: "no spaces" });
  answers["created"] = await call("POST", `${live}/devices`, { deviceId: "device-001", deviceName: "Device Utama" });
  answers["noQr"] = await refused("GET", `${device}/qr`);
  answers["connect"] = await call("POST", `${device}/connect`);
  const { qrCode } = await poll(`${device}/qr`, (qr) => typeof qr.qrCode === "string");
  answers["qrSvg"] = await (await request("GET", `${device}/qr-image?format=svg`)).text();
  answers["qrPng"] = await call("GET", `${device}/qr-image?format=png`);
  answers["qrBase64"] = await call("GET", `${device}/qr-base64`);
  await options.scanQr(qrCode as string);
  answers["status"] = await poll(`${device}/status`, (status) => status.isConnected === true);
  answers["devices"] = await call("GET", `${live}/devices`);
  answers["connectedDevices"] = await call("GET", `${live}/devices/connected`);
  answers["connectedDetail"] = await call("GET", `${live}/devices/connected/detail`);
  answers["device"] = await call("GET", device);

  // What may be kept of its messages.
  const { user } = await call("GET", "/api/auth/session");
  const sessions = await poll(`${data}/sessions/user/${user.userId}`, (found) => found.sessions.length === 1);
  const session = sessions.sessions[0].id as number;
  answers["session"] = await call("GET", `${data}/sessions/${session}`);
  await call("PUT", `${data}/sessions/${session}/keterangan`, { keterangan: "Nomor toko" });
  const allowed = { whatsapp_number: options.phone, status: "aktif", session_id: session };
  answers["allowedNumber"] = await call("POST", `${data}/allowed-numbers`, allowed);

  // Text.
  answers["text"] = await call("POST", `${device}/send-message`, { to: friend, message: "Halo" });
  answers["tooLong"] = await refused("POST", `${device}/send-message`, { to: friend, message: "a".repeat(4097) });
  const messages = [friend, options.nobody, `0${other.slice(2)}`].map((to, at) => ({ to, message: `Pesan ${at + 1}` }));
  answers["bulkText"] = await call("POST", `${device}/send-message`, { messages, delay: 1 });

  // Media.
  const base64 = options.image.toString("base64");
  const file = new Blob([new Uint8Array(options.image)], { type: "image/png" });
  const upload: Fields = { to: friend, mediaType: "image", caption: "Dari berkas", file };
  answers["mediaFile"] = await call("POST", `${device}/send-media`, upload, true);
  const inline = { to: friend, mediaType: "image", caption: "Dari base64", base64 };
  answers["mediaBase64"] = await call("POST", `${device}/send-media`, inline);
  const linked = { to: friend, mediaType: "document", caption: "Dari URL", url: options.pdfUrl };
  answers["mediaUrl"] = await call("POST", `${device}/send-media`, linked);
  const items = [
    { to: friend, mediaType: "image", url: options.imageUrl, caption: "Gambar" },
    { to: other, mediaType: "image", base64, fileName: "a.png", mimetype: "image/png" },
  ];
  answers["bulkMedia"] = await call("POST", `${device}/send-media`, { items, delay: 1 });

  // Groups.
  const subject = "Nama Grup";
  answers["createdGroup"] = await call("POST", `${device}/groups`, { subject, participants: [friend] });
  const groupId = answers["createdGroup"].groupId as string;
  const group = `${device}/groups/${groupId}`;
  answers["groups"] = await call("GET", `${device}/groups`);
  answers["groupInfo"] = await call("GET", `${group}/info`);
  answers["groupText"] = await call("POST", `${device}/send-group-message`, { groupId, message: "Halo semua" });
  const groupItems = [1, 2].map((at) => ({ groupId, message: `Halo ${at}` }));
  answers["groupBulk"] = await call("POST", `${device}/send-group-message`, { items: groupItems, delay: 1 });
  answers["invited"] = await call("POST", `${group}/participants`, { participants: [other] });
  const mention = { message: "Halo {m1} dan {m2}", mentions: [friend, other] };
  answers["mention"] = await call("POST", `${group}/mention-message`, mention);
  const picture = { mediaType: "image", base64, caption: "Untuk grup" };
  answers["groupMedia"] = await call("POST", `${group}/send-media`, picture);
  const pictures = [1, 2].map((at) => ({ ...picture, caption: `Untuk grup ${at}` }));
  answers["groupMediaBulk"] = await call("POST", `${group}/send-media`, { items: pictures, delay: 1 });
  answers["promoted"] = await call("POST", `${group}/admins`, { adminJid: other });
  answers["demoted"] = await call("DELETE", `${group}/admins/${other}`);
  answers["kicked"] = await call("DELETE", `${group}/participants/${other}@s.whatsapp.net`);

  // Jobs.
  const finished = (job: Data) => ["completed", "failed", "cancelled"].includes(job.status as string);
  const runJob = async (path: string, body: Json) => {
    const { jobId } = await call("POST", path, body);
    return poll(`${live}/jobs/${jobId}`, finished);
  };
  answers["textJob"] = await runJob(`${device}/jobs/send-text`, { messages, delay: 1 });
  answers["mediaJob"] = await runJob(`${device}/jobs/send-media`, { items, delay: 1 });
  answers["groupMediaJob"] = await runJob(`${group}/jobs/send-media`, { items: pictures, delay: 1 });
  const long = await call("POST", `${device}/jobs/send-text`, { messages, delay: 600 });
  await call("POST", `${live}/jobs/${long.jobId}/cancel`);
  answers["cancelledJob"] = await poll(`${live}/jobs/${long.jobId}`, finished);

  // Later.
  const inJakarta = (date: Date) => date.toLocaleString("sv-SE", { timeZone: "Asia/Jakarta" });
  const scheduleTime = inJakarta(new Date(Date.now() + AN_HOUR_MS));
  const later = { to: friend, message: "Halo", scheduleTime, timezone: "Asia/Jakarta" };
  answers["scheduled"] = await call("POST", `${device}/schedule-message`, later);

  // What was said.
  await options.friendWrites("Halo juga");
  const [today] = inJakarta(new Date()).split(" ");
  const history = "limit=50&source=store&waitSeconds=1";
  const jid = `${friend}@s.whatsapp.net`;
  const heard = (found: Data) => JSON.stringify(found).includes("Halo juga");
  answers["chatHistory"] = await poll(`${device}/chat-history/${jid}?${history}`, heard);
  answers["groupHistory"] = await call("GET", `${device}/group-chat-history/${groupId}?${history}`);
  answers["dailyList"] = await call("GET", `${device}/daily-chat-list?date=${today}&limit=100&offset=0`);

  // The data of it.
  const range = `start_date=${today}&end_date=${today}&page=1&pageSize=10`;
  const ofSession = `session_id=${session}&date=${today}`;
  answers["stats"] = await call("GET", `${data}/message/stats?${ofSession}`);
  answers["details"] = await call("GET", `${data}/message/details?${ofSession}&page=1&pageSize=10`);
  answers["links"] = await call("GET", `${data}/groups/links/${session}`);
  answers["byNumber"] = await call(
    "GET",
    `${data}/messages/by-number/${options.phone}?date=${today}&page=1&pageSize=10`,
  );
  const between = `receiver_number=${friend}&sender_number=${options.phone}`;
  answers["filtered"] = await call("GET", `${data}/history/filtered?${between}&${range}`);
  const days = `start_date=${today}&end_date=${today}`;
  answers["conversation"] = await call("GET", `${data}/conversation/${options.phone}/${friend}?${days}&order=asc`);
  answers["ofNumber"] = await call("GET", `${data}/messages/number/${friend}?${range}&order=desc`);
  answers["mapping"] = await call("GET", `${data}/messages/number/${options.phone}/mapping?${range}`);
  answers["counterparts"] = await call("GET", `${data}/messages/number/${options.phone}/contacts?${range}`);

  // Settings of the number.
  const number = `whatsapp_number=${options.phone}`;
  answers["allowedNumbers"] = await call("GET", `${data}/allowed-numbers?${number}`);
  const allowedId = answers["allowedNumber"].id as number;
  await call("PUT", `${data}/allowed-numbers/${allowedId}/status`, { status: "nonaktif" });
  await call("DELETE", `${data}/allowed-numbers/${allowedId}`);
  const chatbot = { sender_number: friend, status: "aktif", session_id: session };
  answers["chatbot"] = await call("POST", `${data}/chatbots`, chatbot);
  await call("PUT", `${data}/chatbots/${options.phone}/endpoint`, { endpoint_url: "https://bot.example.com/reply" });
  answers["chatbots"] = await call("GET", `${data}/chatbots?${number}`);
  await call("PUT", `${data}/chatbots/${answers["chatbot"].id}/status`, { status: "nonaktif" });
  await call("DELETE", `${data}/chatbots/${answers["chatbot"].id}`);

  // A second device, by code.
  const second = `${live}/devices/device-002`;
  await call("POST", `${live}/devices`, { deviceId: "device-002" });
  answers["pairing"] = await call("POST", `${second}/pairing-code`, { phone: options.secondPhone });
  await options.enterCode(answers["pairing"].pairingCode as string);
  await poll(`${second}/status`, (status) => status.isConnected === true);
  answers["alreadyPaired"] = await refused("POST", `${second}/pairing-code`, { phone: options.secondPhone });

  // The end.
  answers["disconnected"] = await call("DELETE", `${device}/disconnect`);
  answers["notConnected"] = await refused("POST", `${device}/send-message`, { to: friend, message: "Halo" });
  answers["wiped"] = await call("POST", `${device}/cancel-and-wipe`);
  answers["wipedSession"] = await call("DELETE", `${second}/session`);
  await call("DELETE", device);
  await call("DELETE", second);
  answers["devicesLeft"] = await call("GET", `${live}/devices`);
  return answers;
}

function form(fields: Fields): FormData {
  const filled = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") filled.append(name, value);
    else filled.append(name, value, "gambar.png");
  }
  return filled;
}
