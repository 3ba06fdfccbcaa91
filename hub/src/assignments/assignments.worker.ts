import { done } from '@muster/base';
import type { JobHandler } from '../queue/jobs.ts';
import { parseOwnerKey } from '../releases/owner.ts';
import type { AssignmentsService } from './assignments.service.ts';

/** Job handlers of assignments: one job an owner, and the end of removals that nobody told the hub of. */
export function handlers(assignments: AssignmentsService): JobHandler[] {
  const assign = (prefix: string): JobHandler => ({
    queue: 'assign',
    prefix,
    handle: (key, context) => assignments.assign(parseOwnerKey(key), context),
  });
  return [
    assign('set'),
    assign('application'),
    {
      queue: 'assign',
      prefix: 'waits',
      handle: (key, context) => assignments.assignWaiting(parseOwnerKey(key.slice('waits:'.length)), context),
    },
    {
      queue: 'maintenance',
      prefix: 'tombstones',
      everySeconds: 60,
      async handle() {
        await assignments.finishRemovals();
        return done;
      },
    },
  ];
}
