/** Profile pictures come from another host than media; the simulator serves both on one port. */
export const PICTURE_HOST = "pps.whatsapp.net";
export const MAX_PICTURE_BYTES = 1024 * 1024;
