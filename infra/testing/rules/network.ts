import { ofType, one } from "../graph.ts";
import { unless } from "./rule.ts";
import type { Rule } from "./rule.ts";

type Ingress = { cidrBlocks?: string[]; ipv6CidrBlocks?: string[] }[];

export const networkRules: Record<string, Rule> = {
  "no security group admits the internet": (graph) =>
    ["aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"]
      .flatMap((type) => ofType(graph, type))
      .flatMap(({ name, inputs }) => {
        const from = ((inputs["ingress"] ?? []) as Ingress).flatMap((rule) => [
          ...(rule.cidrBlocks ?? []),
          ...(rule.ipv6CidrBlocks ?? []),
        ]);
        return unless(!from.some((range) => range.endsWith("/0")), `${name} admits ${from.join()}`);
      }),

  "the group of functions and hosts admits nobody": (graph) => {
    const { ingress } = one(graph, "aws:ec2/securityGroup:SecurityGroup", "Callers").inputs;
    return unless(ingress.length === 0, JSON.stringify(ingress));
  },

  "traffic to S3 does not go through NAT": (graph) => {
    const { vpcEndpointType, serviceName, routeTableIds } = one(
      graph,
      "aws:ec2/vpcEndpoint:VpcEndpoint",
      "S3Gateway",
    ).inputs;
    const isS3 = vpcEndpointType === "Gateway" && String(serviceName).endsWith(".s3");
    const tables = ofType(graph, "aws:ec2/routeTable:RouteTable").length;
    return unless(isS3 && routeTableIds.length === tables, `${routeTableIds.length} of ${tables} route tables`);
  },
};
