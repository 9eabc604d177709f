import { Hono } from "hono";
import * as z from "zod";
import { AT_ONCE_FAULTS, LASTING_FAULTS } from "../network/faults.ts";
import type { Network } from "../network/network.ts";
import { release, strike } from "../network/strike.ts";
import { ControlError } from "./errors.ts";
import { groupId, phoneNumber, readBody } from "./input.ts";

const MAX_DELAY_MS = 600_000;
const MAX_FAULTS = 1_000;

const order = z
  .strictObject({
    match: z
      .strictObject({
        phone: phoneNumber.optional(),
        device: z.int().min(0).optional(),
        group: groupId.optional(),
      })
      .default({}),
    fault: z.enum([...AT_ONCE_FAULTS, ...LASTING_FAULTS]),
    count: z.int().positive().optional(),
    delayMs: z.int().positive().max(MAX_DELAY_MS).optional(),
    code: z.int().min(1).max(999).optional(),
  })
  .refine(({ fault, match }) => fault !== "refuse-connections" || Object.keys(match).length === 0, {
    path: ["match"],
    message: "must be empty for refuse-connections: nobody is known yet when a connection is refused",
  })
  .refine(({ fault, code = 400 }) => !fault.startsWith("media-") || (code >= 400 && code < 600), {
    path: ["code"],
    message: "must be an HTTP status from 400 to 599 for media",
  });

/** `/faults`: what is to go wrong; network/faults.ts says what each of them does. */
export function faultRoutes(network: Network): Hono {
  const app = new Hono();

  app.post("/", async (context) => {
    const { match, fault, ...details } = await readBody(context, order);
    if (network.faults.list().length >= MAX_FAULTS) {
      throw new ControlError(409, "too_many_faults", `there are ${MAX_FAULTS} faults already: DELETE /faults`);
    }
    const added = network.faults.add({ match, fault, ...details });
    strike(network, added);
    return context.json({ id: added.id }, 201);
  });
  app.get("/", (context) => context.json(network.faults.list()));
  app.delete("/", (context) => {
    network.faults.clear();
    release(network);
    return context.json({});
  });
  app.delete("/:id", (context) => {
    const id = context.req.param("id");
    if (!network.faults.wasIssued(id)) throw new ControlError(404, "fault_unknown", `there is no fault ${id}`);
    network.faults.delete(id);
    release(network, id);
    return context.json({});
  });
  return app;
}
