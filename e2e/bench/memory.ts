import { applyByAgent, settledMegabytes, startStage } from './agent-stage.ts';
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
