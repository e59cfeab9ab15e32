import { nameOf, type Resource, resourcesBehind, resourcesOf } from "../references";
import { statementsOf } from "../iam";
import { type Attributes, block, listOf, referred, type SynthesizedStack } from "../stack";

/** The graph of a synthesized stack: what it consists of, and what goes from where to where. */

export interface Node {
  readonly id: string;
  /** What it is, in a word or two: queue. */
  readonly kind: string;
  readonly name: string;
  readonly look: "outside" | "bus" | "function" | "store" | "mail" | "watch";
  /** The rules of a bus, each with a port that its edges leave from. */
  readonly rules: Rule[];
  /** What belongs to it, in words. */
  readonly notes: string[];
  alarms: number;
}

interface Rule {
  readonly port: string;
  /** The names of the rules that take their events to the same place. */
  readonly names: string[];
}

interface Edge {
  readonly from: string;
  readonly port?: string;
  readonly to: string;
  /** `event`: on the way to a mail. `failure`: when something failed. `tell`: what is told of it afterwards. */
  readonly flow: "event" | "failure" | "tell";
  readonly label?: string;
  /** It leads back, so that it does not place its ends above each other. */
  readonly isReturn?: boolean;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
  /** The kinds of resources that the graph does not show, each with its reason. */
  readonly hidden: ReadonlyMap<string, string>;
}

/** How a kind of resource gets into the graph: a function draws it, and a text says why it is not drawn. */
type Drawing = ((resource: Resource, drawing: GraphBuilder) => void) | string;

const inIam = "[iam.md](iam.md) has it";

/** Every kind of resource that the stack may have. The nodes come before what joins them. */
const drawings: Readonly<Record<string, Drawing>> = {
  aws_cloudwatch_event_bus: (bus, drawing) => {
    drawing.node(bus, "bus", "event bus");
  },
  aws_lambda_function: (fn, drawing) => {
    drawing.node(fn, "function", "function");
  },
  aws_sqs_queue: (queue, drawing) => {
    drawing.node(queue, "store", "queue");
  },
  aws_dynamodb_table: (table, drawing) => {
    drawing.node(table, "store", "table");
  },
  aws_sesv2_configuration_set: (_, drawing) => {
    drawing.ses().notes.push("configuration set");
    drawing.edge({ from: "ses", to: drawing.outside("recipients", "Recipients"), flow: "event" });
  },
  aws_sesv2_email_identity: (_, drawing) => {
    drawing.count(drawing.ses(), "identity", "identities");
  },
  aws_ses_template: (_, drawing) => {
    drawing.count(drawing.ses(), "template", "templates");
  },
  aws_cloudwatch_log_group: (group, drawing) => {
    const days = `${String(group.attributes.retention_in_days)} days`;
    const owner = drawing.ownerOfLog(group);
    if (owner === undefined) drawing.node(group, "store", "log").notes.push(`kept ${days}`);
    else owner.notes.push(`log, ${days}`);
  },
  aws_sns_topic: (topic, drawing) => {
    drawing.node(topic, "watch", "topic");
  },
  aws_cloudwatch_event_archive: (archive, drawing) => {
    const days = `${String(archive.attributes.retention_days)} days`;
    drawing.nodeBehind(archive, archive.attributes.event_source_arn).notes.push(`archive, ${days}`);
  },
  aws_cloudwatch_event_rule: (rule, drawing) => {
    drawing.rule(rule);
  },
  aws_cloudwatch_event_target: (target, drawing) => {
    drawing.target(target);
  },
  aws_lambda_function_event_invoke_config: (config, drawing) => {
    const { destination } = block(block(config.attributes, "destination_config"), "on_failure");
    if (destination === undefined) return;
    const from = drawing.nodeBehind(config, config.attributes.function_name).id;
    drawing.edge({ from, to: drawing.nodeBehind(config, destination).id, flow: "failure" });
  },
  aws_lambda_event_source_mapping: (mapping, drawing) => {
    const from = drawing.nodeBehind(mapping, mapping.attributes.event_source_arn).id;
    const to = drawing.nodeBehind(mapping, mapping.attributes.function_name).id;
    drawing.edge({ from, to, flow: "failure", isReturn: true });
  },
  aws_sesv2_configuration_set_event_destination: (_, drawing) => {
    drawing.edge({ from: drawing.ses().id, to: drawing.defaultBus().id, flow: "tell" });
  },
  aws_cloudwatch_metric_alarm: (alarm, drawing) => {
    drawing.alarm(alarm);
  },
  aws_cloudwatch_dashboard: (_, drawing) => {
    drawing.count(drawing.alarms(), "dashboard", "dashboards");
  },
  aws_sns_topic_subscription: (subscription, drawing) => {
    const from = drawing.nodeBehind(subscription, subscription.attributes.topic_arn).id;
    drawing.edge({ from, to: drawing.outside("on-call", "Who is on call"), flow: "tell" });
  },
  aws_kms_key: (key, drawing) => {
    for (const { address } of drawing.usersOf(key)) drawing.at(address)?.notes.push("encrypted, own key");
  },
  aws_cloudwatch_log_data_protection_policy: (policy, drawing) => {
    drawing.nodeBehind(policy, policy.attributes.log_group_name).notes.push("addresses masked");
  },
  aws_iam_role_policy: (policy, drawing) => {
    drawing.calls(policy);
  },
  aws_cloudwatch_event_bus_policy: inIam,
  aws_cloudwatch_log_metric_filter: "counts a log's lines for the alarms",
  aws_cloudwatch_log_resource_policy: inIam,
  aws_iam_role: inIam,
  aws_kms_alias: "the name of the key",
  aws_kms_key_policy: inIam,
  aws_lambda_permission: inIam,
  aws_route53_record: "the sender's DNS",
  aws_sesv2_email_identity_mail_from_attributes: "the sender's DNS",
  aws_sns_topic_policy: inIam,
  aws_sqs_queue_policy: inIam,
};

/** @throws Error that lists the kinds of resources that nobody has said how to draw. */
export function graphOf(stack: SynthesizedStack): Graph {
  const resources = resourcesOf(stack);
  const unknown = [...new Set(resources.map(({ type }) => type))].filter((type) => !Object.hasOwn(drawings, type));
  if (unknown.length > 0) {
    throw new Error(
      `docs/architecture.md can't be generated: nobody has said how to draw ${unknown.join(", ")}. Add each to the drawings in docs/generator/architecture/graph.ts.`,
    );
  }
  const builder = new GraphBuilder(stack);
  const hidden = new Map<string, string>();
  for (const [type, drawing] of Object.entries(drawings)) {
    for (const resource of resources.filter((each) => each.type === type)) {
      if (typeof drawing === "string") hidden.set(type, drawing);
      else drawing(resource, builder);
    }
  }
  return { ...builder.finished(), hidden };
}

class GraphBuilder {
  private readonly nodes = new Map<string, Node>();
  private readonly edges = new Map<string, Edge>();
  private readonly counts = new Map<Node, Map<string, { one: string; many: string; count: number }>>();
  /** The bus and the port of each rule, by the rule's address. */
  private readonly ports = new Map<string, { readonly bus: Node; readonly port: string }>();

  constructor(private readonly stack: SynthesizedStack) {}

  node(resource: Resource, look: Node["look"], kind: string): Node {
    return this.add({ id: resource.address, kind, name: nameOf(resource, this.stack), look });
  }

  outside(id: string, name: string): string {
    return this.add({ id, kind: "", name, look: "outside" }).id;
  }

  ses(): Node {
    return this.add({ id: "ses", kind: "", name: "Amazon SES", look: "mail" });
  }

  defaultBus(): Node {
    return this.add({ id: "default-bus", kind: "event bus", name: "default", look: "bus" });
  }

  /** Schedules are rules of the default bus. They stand by themselves, because no event starts them. */
  schedules(): Node {
    return this.add({ id: "schedules", kind: "default event bus", name: "Schedules", look: "bus" });
  }

  alarms(): Node {
    return this.add({ id: "alarms", kind: "CloudWatch", name: "Alarms", look: "watch" });
  }

  at(address: string): Node | undefined {
    return this.nodes.get(address);
  }

  /** The node of what an expression or an ARN of a resource refers to. */
  nodeBehind({ address }: Resource, expression: unknown): Node {
    const found = resourcesBehind(this.stack, expression).map((each) => this.nodeOf(each));
    const node = found.find((each) => each !== undefined);
    if (node === undefined)
      throw new Error(`${address} refers to ${String(expression)}, which the diagram does not show.`);
    return node;
  }

  edge(edge: Edge): void {
    this.edges.set(JSON.stringify([edge.from, edge.port, edge.to, edge.flow]), edge);
  }

  /** Notes how many of a kind belong to a node. */
  count(node: Node, one: string, many: string): void {
    const counts = this.counts.get(node) ?? new Map<string, { one: string; many: string; count: number }>();
    counts.set(one, { one, many, count: (counts.get(one)?.count ?? 0) + 1 });
    this.counts.set(node, counts);
  }

  /** The function whose own log it is. */
  ownerOfLog({ attributes }: Resource): Node | undefined {
    const [fn] = resourcesOf(this.stack).filter(
      ({ type, attributes: { function_name: name } }) =>
        type === "aws_lambda_function" && attributes.name === `/aws/lambda/${String(name)}`,
    );
    return fn === undefined ? undefined : this.at(fn.address);
  }

  /** The resources that refer to a resource. */
  usersOf(resource: Resource): Resource[] {
    return resourcesOf(this.stack).filter(
      ({ address, attributes }) =>
        address !== resource.address && JSON.stringify(attributes).includes(`\${${resource.address}.`),
    );
  }

  /** Puts a rule on its bus. Rules with the same targets share a port. */
  rule(rule: Resource): void {
    const { schedule_expression: schedule } = rule.attributes;
    const bus = schedule === undefined ? this.busOf(rule) : this.schedules();
    const targets = listOf(this.stack, "aws_cloudwatch_event_target")
      .filter((target) => referred(this.stack, target.rule) === rule.attributes)
      .map(({ arn }) => String(arn));
    const port = targets.sort().join(" ");
    const shared = bus.rules.find((each) => each.port === port);
    if (shared === undefined) bus.rules.push({ port, names: [nameOf(rule, this.stack)] });
    else shared.names.push(nameOf(rule, this.stack));
    this.ports.set(rule.address, { bus, port });
  }

  target(target: Resource): void {
    const [rule] = resourcesBehind(this.stack, target.attributes.rule);
    const place = this.ports.get(rule?.address ?? "");
    if (place === undefined) throw new Error(`${target.address} has no rule of this stack.`);
    const { bus, port } = place;
    const to = this.nodeBehind(target, target.attributes.arn).id;
    this.edge({
      from: bus.id,
      port,
      to,
      flow: this.isOfFailures(bus) ? "failure" : this.isTold(to) ? "tell" : "event",
    });
    const { arn } = block(target.attributes, "dead_letter_config");
    if (arn === undefined) return;
    const note = `undelivered: ${this.nodeBehind(target, arn).name}`;
    if (!bus.notes.includes(note)) bus.notes.push(note);
  }

  /** Draws what a function calls with its role: what statements let it do, and no other edge shows. */
  calls(policy: Resource): void {
    const [role] = resourcesBehind(this.stack, policy.attributes.role);
    const functions = resourcesOf(this.stack).filter(
      ({ type, attributes }) =>
        type === "aws_lambda_function" &&
        resourcesBehind(this.stack, attributes.role).some(({ address }) => address === role?.address),
    );
    const statements = statementsOf(this.stack).filter(
      ({ effect, principals }) =>
        effect === "Allow" && principals.some((each) => each.kind === "role" && each.role.address === role?.address),
    );
    for (const { address: from } of functions) {
      for (const { resources } of statements) {
        const nodes = resources.flatMap((text) => resourcesBehind(this.stack, text)).map((each) => this.nodeOf(each));
        for (const node of new Set(nodes)) {
          if (node === undefined || node.id === from || this.areJoined(from, node.id)) continue;
          this.edge({ from, to: node.id, flow: node.look === "mail" || node.kind === "table" ? "event" : "failure" });
        }
      }
    }
  }

  alarm(alarm: Resource): void {
    const watched = this.watchedBy(alarm.attributes);
    if (watched === undefined) throw new Error(`${alarm.address} watches nothing that the diagram shows.`);
    watched.alarms += 1;
    const alarms = this.alarms();
    alarms.alarms += 1;
    for (const action of [alarm.attributes.alarm_actions ?? []].flat()) {
      this.edge({ from: alarms.id, to: this.nodeBehind(alarm, action).id, flow: "tell" });
    }
  }

  finished(): Pick<Graph, "nodes" | "edges"> {
    for (const [node, counts] of this.counts) {
      node.notes.push(
        ...[...counts.values()].map(({ one, many, count }) => (count === 1 ? `1 ${one}` : `${count} ${many}`)),
      );
    }
    for (const queue of resourcesOf(this.stack).filter(({ type }) => type === "aws_sqs_queue")) {
      const [, dead] = /"deadLetterTargetArn":"([^"]*)"/.exec(String(queue.attributes.redrive_policy)) ?? [];
      if (dead !== undefined) {
        this.edge({ from: queue.address, to: this.nodeBehind(queue, dead).id, flow: "failure" });
      }
    }
    const edges = [...this.edges.values()];
    for (const bus of this.nodes.values()) {
      const isPutByUs = edges.some(({ to }) => to === bus.id);
      if (bus.look === "bus" && bus.id !== "schedules" && !isPutByUs) {
        this.edge({
          from: this.outside("applications", "Applications"),
          to: bus.id,
          flow: "event",
          label: "PutEvents",
        });
      }
    }
    return { nodes: [...this.nodes.values()], edges: [...this.edges.values()] };
  }

  private add(node: Omit<Node, "rules" | "notes" | "alarms">): Node {
    const known = this.nodes.get(node.id) ?? { ...node, rules: [], notes: [], alarms: 0 };
    this.nodes.set(node.id, known);
    return known;
  }

  private nodeOf(resource: Resource): Node | undefined {
    if (resource.type.startsWith("aws_ses")) return this.ses();
    const place = this.ports.get(resource.address);
    if (place !== undefined) return place.bus;
    return resource.type === "aws_cloudwatch_log_group"
      ? (this.ownerOfLog(resource) ?? this.at(resource.address))
      : this.at(resource.address);
  }

  private busOf(rule: Resource): Node {
    const { event_bus_name: name } = rule.attributes;
    return name === undefined ? this.defaultBus() : this.nodeBehind(rule, name);
  }

  private areJoined(a: string, b: string): boolean {
    return [...this.edges.values()].some(({ from, to }) => (from === a && to === b) || (from === b && to === a));
  }

  /** Whether functions put their failed runs on the bus. */
  private isOfFailures(bus: Node): boolean {
    return listOf(this.stack, "aws_lambda_function_event_invoke_config").some((config) => {
      const { destination } = block(block(config, "destination_config"), "on_failure");
      return resourcesBehind(this.stack, destination).some(({ address }) => address === bus.id);
    });
  }

  private isTold(id: string): boolean {
    return this.at(id)?.kind === "log";
  }

  /** The node whose metric an alarm watches. */
  private watchedBy(alarm: Attributes): Node | undefined {
    const metrics = [alarm, ...[alarm.metric_query ?? []].flat().map((query) => block(query as Attributes, "metric"))];
    return metrics.map((metric) => this.nodeOfMetric(metric)).find((node) => node !== undefined);
  }

  private nodeOfMetric({ namespace, metric_name: metric, dimensions = {} }: Attributes): Node | undefined {
    if (namespace === "AWS/SES") return this.ses();
    for (const value of Object.values(dimensions as Attributes).reverse()) {
      const named = resourcesOf(this.stack).find(({ attributes }) =>
        [attributes.name, attributes.function_name].includes(value),
      );
      const [resource = named] = resourcesBehind(this.stack, value);
      const node = resource === undefined ? undefined : this.nodeOf(resource);
      if (node !== undefined) return node;
    }
    const filter = listOf(this.stack, "aws_cloudwatch_log_metric_filter").find((each) => {
      const made = block(each, "metric_transformation");
      return made.namespace === namespace && made.name === metric;
    });
    if (filter === undefined) return undefined;
    const group = referred(this.stack, filter.log_group_name);
    const resource = resourcesOf(this.stack).find(({ attributes }) => attributes === group);
    return resource === undefined ? undefined : this.nodeOf(resource);
  }
}

/** A node in words, such as queue retries. */
export function inWords({ kind, name }: Pick<Node, "kind" | "name">): string {
  return kind === "" ? name : `${kind} ${name}`;
}

/** An edge in words, for those who can't see the diagram. */
export interface EdgeInWords {
  readonly from: string;
  readonly to: string;
  readonly flow: Edge["flow"];
  /** The names of the rules that take events this way. */
  readonly rules: readonly string[];
}

/** The edges in the order in which an event meets them. */
export function edgesInWords({ nodes, edges }: Graph): EdgeInWords[] {
  const order = nodes.filter(({ id }) => !edges.some(({ to }) => to === id)).map(({ id }) => id);
  for (const id of order) {
    for (const { to } of edges.filter(({ from }) => from === id)) if (!order.includes(to)) order.push(to);
  }
  const all = new Map(nodes.map((node) => [node.id, node]));
  const words = (id: string) => {
    const node = all.get(id);
    return node === undefined ? id : inWords(node);
  };
  return [...edges]
    .sort((a, b) => order.indexOf(a.from) - order.indexOf(b.from))
    .map(({ from, port, to, flow }) => ({
      from: words(from),
      to: words(to),
      flow,
      rules: all.get(from)?.rules.find((each) => each.port === port)?.names ?? [],
    }));
}
