import type { Graph } from "../graph.ts";

/** What must hold in every graph. @returns what is wrong, each in a line that names the resource; nothing when it holds */
export type Rule = (graph: Graph) => string[];

/** A line for each resource that fails the check. */
export const unless = (holds: boolean, problem: string) => (holds ? [] : [problem]);
