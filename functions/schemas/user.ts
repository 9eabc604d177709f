import * as z from "zod";
import type { User } from "../../shared/db/users.ts";
import type { UserId } from "../../shared/ids.ts";

export const userParams = z.object({
  id: z
    .string()
    .regex(/^\w{1,40}$/)
    .transform((value) => value as UserId),
});

export const username = z
  .string()
  .regex(/^[\w.@-]{3,64}$/)
  .meta({ description: "3-64 letters, digits or `_ . @ -`; upper and lower case are the same.", examples: ["ani"] });

/** What a person types to log in may be anything; it only must not be too much to hash. */
export const typedPassword = z.string().min(1).max(256).meta({ format: "password" });
export const newPassword = z
  .string()
  .min(12)
  .max(256)
  .meta({ description: "12-256 characters.", format: "password", examples: ["correct horse battery"] });

export const role = z.enum(["admin", "user"]);

export const userView = z
  .object({
    userId: z.string(),
    username: z.string(),
    role: role.meta({ description: "An `admin` sees every device and manages users." }),
    isDisabled: z.boolean().meta({ description: "Cannot log in, and no token of theirs is valid." }),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "User" });

export const toUserView = (user: User): z.input<typeof userView> => ({
  userId: user.userId,
  username: user.username,
  role: user.role,
  isDisabled: user.isDisabled,
  createdAt: user.createdAt.toISOString(),
});

export const userExample: z.input<typeof userView> = {
  userId: "usr_019aa1b2c3d4e5f60718293a4b",
  username: "ani",
  role: "user",
  isDisabled: false,
  createdAt: "2026-11-22T03:00:00.000Z",
};
