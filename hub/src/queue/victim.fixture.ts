/** A replica in a process of its own that takes every job and ends none: for `queue.integration.test.ts`. */
import { Queue } from 'bullmq';
import { pino } from 'pino';
import { openDatabase } from '../store/database.ts';
import { Notifications } from '../store/notifications.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { openBackend } from './backend.ts';
import { QUEUES } from './jobs.ts';
import { OutboxRepository } from './outbox.repository.ts';
import { JobRegistry } from './registry.ts';
import { type Queues, Relay } from './relay.ts';
import { Workers } from './workers.ts';

const url = process.env.DATABASE_URL!;
const log = pino({ level: 'silent' });
const repository = new OutboxRepository(openDatabase(url));
const registry = new JobRegistry();
registry.add([
  {
    queue: 'expand',
    prefix: 'set',
    handle: (key) => {
      console.log(`working on ${key}`);
      return new Promise(() => undefined);
    },
  },
]);
const backend = await openBackend(url, process.env.REDIS_URL || undefined, () => undefined);
const queues = Object.fromEntries(
  QUEUES.map((name) => [name, new Queue(name, { connection: backend.producer, prefix: backend.prefix })]),
) as Queues;
new Workers(registry, repository, new Metrics(), log).start(backend);
await new Relay(queues, repository, log).start(new Notifications(url), []);
