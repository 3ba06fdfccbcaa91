import type { JobHandler } from '../queue/jobs.ts';
import { parseOwnerKey } from '../releases/owner.ts';
import type { AssignmentsService } from './assignments.service.ts';

/** Job handlers of assignments: one job an owner. */
export function handlers(assignments: AssignmentsService): JobHandler[] {
  const assign = (prefix: string): JobHandler => ({
    queue: 'assign',
    prefix,
    handle: (key, context) => assignments.assign(parseOwnerKey(key), context),
  });
  return [assign('set'), assign('application')];
}
