import { done } from '@muster/base';
import type { JobHandler } from '../queue/jobs.ts';
import type { CommandsService } from './commands.service.ts';

/** `maintenance/commands`: commands that nobody answered get their outcome. */
export function handlers(commands: CommandsService): JobHandler[] {
  return [
    {
      queue: 'maintenance',
      prefix: 'commands',
      everySeconds: 30,
      handle: async () => {
        await commands.sweep();
        return done;
      },
    },
  ];
}
