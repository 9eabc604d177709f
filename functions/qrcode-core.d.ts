/** The encoder alone, without its ways to draw: `functions/qr-picture.ts` draws. */
declare module "qrcode/lib/core/qrcode.js" {
  export { create } from "qrcode";
}
