import type { Topic } from '../../schemas/topics.js';
import type { TickedInput } from './clock.js';
import { inputTopics, type Consumer } from './consumer.js';
import type { Fold } from './fold.js';

/** Carries topics to somewhere outside the log, each record as one row. */
export interface SinkPart {
  readonly name: string;
  readonly topics: readonly Topic[];
}

/** What the request path reads. */
export interface ViewPart {
  readonly name: string;
  readonly tables: readonly Topic[];
}

/** The whole system as a value. What runs, what is drawn and what is checked all come from it. */
export interface Topology {
  readonly consumers: readonly Consumer[];
  readonly learners: readonly Fold<unknown>[];
  readonly sinks: readonly SinkPart[];
  readonly views: readonly ViewPart[];
}

/** Who writes ticks into a partition of a topic: the tasks that write the topic; for one that is written from outside, `source`. */
function writersOf(topology: Topology, topic: Topic, partition: number, partitions: number): string[] {
  if (topic.kind === 'source') return ['source'];
  return topology.consumers.flatMap(({ name, outputs }) => {
    const output = outputs.find((candidate) => candidate.topic.name === topic.name);
    if (!output) return [];
    return output.samePartition ? [`${name}/${partition}`] : Array.from({ length: partitions }, (_, from) => `${name}/${from}`);
  });
}

/** Inputs of a consumer's task that hold its time, with their writers. */
export function tickedInputs(topology: Topology, consumer: Consumer, partition: number, partitions: number): TickedInput[] {
  return consumer.inputs
    .filter(({ holdsTime, topic }) => holdsTime && topic.kind !== 'feedback')
    .map(({ topic }) => ({ topic: topic.name, writers: writersOf(topology, topic, partition, partitions) }));
}

/** Topics written from outside that a consumer reads: its tasks write the ticks into these. */
export const sourcesOf = ({ inputs }: Consumer): Topic[] => inputs.map(({ topic }) => topic).filter(({ kind }) => kind === 'source');

/** Everything wrong with a topology, one sentence each. */
export function topologyProblems(topology: Topology): string[] {
  const problems: string[] = [];
  const names = new Set<string>();
  const tables = new Map<string, string>();
  const readers = new Map<string, string>();
  const writers = new Map<string, string>();
  for (const consumer of topology.consumers) {
    if (names.has(consumer.name)) problems.push(`Two consumers are named ${consumer.name}.`);
    names.add(consumer.name);
    const owner = tables.get(consumer.table.name);
    if (owner) problems.push(`${owner} and ${consumer.name} share the table ${consumer.table.name}.`);
    tables.set(consumer.table.name, consumer.name);
    for (const { name } of sourcesOf(consumer)) {
      const reader = readers.get(name);
      if (reader) problems.push(`${reader} and ${consumer.name} both read the source ${name}: only one may tick it.`);
      readers.set(name, consumer.name);
    }
    for (const { topic } of consumer.outputs) {
      const writer = writers.get(topic.name);
      if (topic.kind === 'stream' && writer) problems.push(`${writer} and ${consumer.name} both write the stream ${topic.name}.`);
      writers.set(topic.name, consumer.name);
    }
    const keys = new Set(consumer.inputs.map(({ topic }) => topic.key));
    if (keys.size > 1) problems.push(`${consumer.name} reads topics with different keys (${[...keys].join(', ')}).`);
  }
  for (const consumer of topology.consumers) {
    for (const topic of inputTopics(consumer)) {
      const isWritten = topic.kind === 'source' || writers.has(topic.name) || topic.name === consumer.merging?.moves.name;
      if (!isWritten) problems.push(`Nobody writes ${topic.name}, which ${consumer.name} reads.`);
    }
  }
  return problems;
}

/** The topology as a Mermaid flow chart: boxes are parts, stadiums are topics, cylinders are tables. */
export function mermaid(topology: Topology): string {
  const lines = ['flowchart LR'];
  const shapes = new Map<string, string>();
  const topicNode = ({ name, kind }: Topic): string => {
    const id = `t_${name.replaceAll('-', '_')}`;
    shapes.set(id, kind === 'table' ? `${id}[(${name})]` : `${id}([${name}])`);
    return id;
  };
  const part = (kind: string, name: string): string => {
    const id = `${kind}_${name.replaceAll('-', '_')}`;
    shapes.set(id, `${id}[${name}]`);
    return id;
  };
  const arrows = new Set<string>();
  for (const consumer of topology.consumers) {
    const id = part('c', consumer.name);
    for (const { topic } of consumer.inputs) arrows.add(`${topicNode(topic)} --> ${id}`);
    for (const { topic } of consumer.outputs) arrows.add(`${id} --> ${topicNode(topic)}`);
    arrows.add(`${id} --> ${topicNode(consumer.table)}`);
    if (consumer.merging) {
      arrows.add(`${topicNode(consumer.merging.merges)} -.-> ${id}`);
      arrows.add(`${id} -.-> ${topicNode(consumer.merging.moves)}`);
      arrows.add(`${topicNode(consumer.merging.moves)} -.-> ${id}`);
    }
  }
  for (const learner of topology.learners) {
    const id = part('f', learner.name);
    for (const topic of learner.inputs) arrows.add(`${topicNode(topic)} --> ${id}`);
    for (const table of learner.publishes?.tables ?? []) arrows.add(`${id} --> ${topicNode(table)}`);
  }
  for (const sink of topology.sinks) for (const topic of sink.topics) arrows.add(`${topicNode(topic)} --> ${part('s', sink.name)}`);
  for (const view of topology.views) for (const table of view.tables) arrows.add(`${topicNode(table)} --> ${part('v', view.name)}`);
  return [...lines, ...[...shapes.values()].map((shape) => `  ${shape}`), ...[...arrows].map((arrow) => `  ${arrow}`)].join('\n');
}
