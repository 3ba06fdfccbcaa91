import type { Change } from '@muster/api';
import { Controller, Get, Inject, type OnApplicationBootstrap, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Authentication } from '../access/authentication.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { type ChangeEvent, Events } from './events.ts';

const HEARTBEAT_MS = 15_000;
/** A reader that lets this much pile up is cut off; it resumes by Last-Event-ID. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** Live changes as server-sent events: `event: change`, data `{kind, keys}`; `event: resync`: read everything again. */
@Controller('api/v1/events')
export class EventsController implements OnApplicationBootstrap {
  constructor(
    @Inject(Events) private readonly events: Events,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Authentication) private readonly authentication: Authentication,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.events.start();
  }

  @Get()
  @Allow('viewer', { project: 'any' })
  async stream(
    @CurrentActor() actor: Actor,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const projects = this.access.visibleProjects(actor, 'viewer');
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    // One after the other, so that narrowing, which may ask the database, keeps the order.
    let last = Promise.resolve();
    const send = (event: ChangeEvent | 'resync') => {
      last = last
        .then(async () => {
          if (event === 'resync') return this.#write(raw, resync(this.events.lastId));
          const visible = await this.events.narrow(event, projects);
          if (visible) this.#write(raw, change(visible));
        })
        .catch(() => {
          raw.destroy();
        });
    };
    const stop = this.events.listen(send);
    const heartbeat = setInterval(() => void this.#beat(request, raw), HEARTBEAT_MS);
    raw.once('close', () => {
      stop();
      clearInterval(heartbeat);
    });
    this.#greet(request.headers['last-event-id'], send, raw);
  }

  /** Sends what was missed, as far as it is known here. */
  #greet(
    lastId: string | string[] | undefined,
    send: (event: ChangeEvent | 'resync') => void,
    raw: Raw,
  ): void {
    this.#write(raw, ': muster\n\n');
    if (typeof lastId !== 'string') {
      this.#write(raw, `id: ${this.events.lastId}\nevent: hello\ndata: {}\n\n`);
      return;
    }
    const missed = this.events.since(lastId);
    if (missed) for (const event of missed) send(event);
    else send('resync');
  }

  /** Keeps proxies from cutting the stream, and ends it when the login or token has ended. */
  async #beat(request: FastifyRequest, raw: Raw): Promise<void> {
    const actor = await this.authentication.actorOf(request).catch(() => undefined);
    if (actor) this.#write(raw, ': beat\n\n');
    else raw.destroy();
  }

  #write(raw: Raw, text: string): void {
    if (raw.destroyed) return;
    raw.write(text);
    if (raw.writableLength > MAX_BUFFERED_BYTES) raw.destroy();
  }
}

type Raw = FastifyReply['raw'];

function change({ id, kind, keys }: ChangeEvent): string {
  return `id: ${id}\nevent: change\ndata: ${JSON.stringify({ kind, keys } satisfies Change)}\n\n`;
}

function resync(id: string): string {
  return `id: ${id}\nevent: resync\ndata: {}\n\n`;
}
