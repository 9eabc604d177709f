import * as z from "zod";

const resourceSchema = z.object({
  type: z.string(),
  name: z.string(),
  /** False for SST's components, which only group what is made. */
  custom: z.boolean(),
  inputs: z.record(z.string(), z.any()),
});

/** What the engine writes. */
export const recordedSchema = z.object({
  resources: z.array(resourceSchema),
  devCommands: z.record(z.string(), z.object({ command: z.string() }).loose()),
  unknownCalls: z.array(z.string()),
});

export type Resource = z.infer<typeof resourceSchema>;

/** Everything that a deploy of a stage would make. */
export type Graph = z.infer<typeof recordedSchema> & {
  app: { stage: string; removal: string; protect: boolean; providers: Record<string, unknown> };
  /** By the function's name: its handler, and the secrets that are packed beside its code. */
  builds: Record<string, { handler: string; links: Record<string, Record<string, unknown>> }>;
  /** Functions that `sst dev` runs on the developer's machine. */
  liveFunctions: string[];
  unknownRequests: string[];
};

export const ofType = (graph: Graph, type: string) => graph.resources.filter((resource) => resource.type === type);

/** The one resource of a type and a name. Throws, naming those that there are, when there is none. */
export function one(graph: Graph, type: string, name: string): Resource {
  const all = ofType(graph, type);
  const found = all.find((resource) => resource.name === name);
  if (!found)
    throw new Error(`no ${type} is called ${name}; there are ${all.map((resource) => resource.name).join(", ")}`);
  return found;
}

export type Statement = {
  Effect: string;
  Action?: string[];
  NotAction?: string[];
  Resource?: string[];
  Principal?: Record<string, string[]>;
  Condition?: Record<string, Record<string, string[]>>;
};

export const statementsOf = (json: string) => (JSON.parse(json) as { Statement: Statement[] }).Statement;

/** All that a role may do: its own policies and those attached to it by name. */
export function allowances(graph: Graph, role: Resource): Statement[] {
  const inline = (role.inputs["inlinePolicies"] ?? []) as { policy: string }[];
  const roleName = (role.inputs["name"] as string | undefined) ?? role.name;
  const attached = ofType(graph, "aws:iam/rolePolicy:RolePolicy").filter(({ inputs }) => inputs["role"] === roleName);
  return [...inline, ...attached.map(({ inputs }) => ({ policy: inputs["policy"] as string }))].flatMap(({ policy }) =>
    statementsOf(policy),
  );
}
