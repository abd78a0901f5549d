import { Command } from 'commander';
import { readConfig } from '../config.js';
import { inputTopics } from '../core/consumer.js';
import { mermaid } from '../core/topology.js';
import { topologyOf } from '../topology.js';
import { exitingWell } from './exit.js';

export function topologyCommand(): Command {
  return new Command('topology')
    .description('Draw the system from the value that runs.')
    .option('--mermaid', 'as a Mermaid flow chart')
    .option('--json', 'as JSON')
    .action((options: { mermaid?: boolean; json?: boolean }) => exitingWell(async () => {
      const topology = topologyOf(readConfig(), 'wall');
      const parts = topology.consumers.map((consumer) => ({
        name: consumer.name, reads: inputTopics(consumer).map(({ name }) => name), writes: consumer.outputs.map(({ topic }) => topic.name), table: consumer.table.name,
      }));
      if (options.mermaid) process.stdout.write(`${mermaid(topology)}\n`);
      else if (options.json) process.stdout.write(`${JSON.stringify(parts)}\n`);
      else for (const { name, reads, writes, table } of parts) process.stdout.write(`${name}\n  reads  ${reads.join(', ')}\n  writes ${writes.join(', ')}\n  table  ${table}\n`);
    }));
}
