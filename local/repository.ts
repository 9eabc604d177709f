import { fileURLToPath } from "node:url";

/** The checkout that this file is part of, absolute, without a slash at the end. */
export const REPOSITORY = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
