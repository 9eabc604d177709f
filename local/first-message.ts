const SHOP = "6281100000001";
const CUSTOMER = "6281100000002";

/** Lines for any interactive shell with curl: from nothing to a message on a simulated phone. */
export function firstMessage(apiUrl: string, simulatorUrl: string, token: string): string {
  return `
To send a first message, paste these lines into another terminal. They make two phones, link the first one as the
device "shop" by scanning its QR code, send, and show what arrived on the second one.

  API=${apiUrl}/api/whatsapp-multi-device PHONES=${simulatorUrl}/phones TOKEN=${token}
  call() { curl -sS -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -H 'Accept-Language: en' "$@"; echo; }

  call "$PHONES" -d '{"phone":"${SHOP}","name":"Shop"}' && call "$PHONES" -d '{"phone":"${CUSTOMER}","name":"Ana"}'
  call "$API/devices" -d '{"deviceId":"shop"}'
  QR=$(call -X POST "$API/devices/shop/connect" | grep -o '"qrCode":"[^"]*"' | cut -d '"' -f 4)
  call "$PHONES/${SHOP}/scan" -d "{\\"qr\\":\\"$QR\\"}" && call -X POST "$API/devices/shop/connect"

  call "$API/devices/shop/send-message" -d '{"to":"${CUSTOMER}","message":"Hello Ana"}'
  call "$PHONES/${CUSTOMER}/inbox?wait=5"`;
}
