import { setTimeout as sleep } from 'node:timers/promises';
import { processMemory } from '../src/index.ts';
import { applyByAgent, startStage } from './agent-stage.ts';
import { atMost, type Bench } from './figure.ts';

/** Resident memory of the agent as its image starts it. */
export const memory: Bench = {
  name: 'memory',
  about: 'resident memory of the agent, idle and with 550 objects',
  run: async (context) => {
    const stage = await startStage(context);
    try {
      context.log('waiting for the memory of the idle agent to settle');
      const idle = await settledMegabytes(stage.agent.pid);
      context.log('applying 550 objects');
      await applyByAgent(stage, 'load');
      const loaded = await settledMegabytes(stage.agent.pid);
      return [
        atMost('memory: agent, idle', idle, 'MB', 110),
        atMost('memory: agent, 550 objects', loaded, 'MB', 150),
      ];
    } finally {
      await stage.stop();
    }
  },
};

/** RSS in MB once it has not grown by a hundredth in two looks; at most 40 s. */
async function settledMegabytes(pid: number): Promise<number> {
  let last = 0;
  let quiet = 0;
  for (let round = 0; round < 20 && quiet < 2; round++) {
    await sleep(2_000);
    const { rss } = await processMemory(pid);
    if (rss === 0) throw new Error('the memory of a process can only be read on Linux');
    quiet = rss <= last * 1.01 ? quiet + 1 : 0;
    last = rss;
  }
  return last / 1e6;
}
