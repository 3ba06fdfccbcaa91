import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import statics from '@fastify/static';
import { MusterError } from '@muster/base';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '../config.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Below it, headers and work cost more than the bytes saved. */
const COMPRESS_FROM_BYTES = 1024;
/** JSON and the files of the page; not event streams, which must not wait in a buffer, nor images and charts. */
const COMPRESSED =
  /^(?:application\/(?:[\w.-]+\+)?json|application\/javascript|text\/(?:html|css|javascript|plain|xml)|image\/svg\+xml)(?:$|;)/i;
const MAX_BODY_BYTES = 8 * 1024 * 1024;

export function createAdapter(config: Config): FastifyAdapter {
  const adapter = new FastifyAdapter({
    trustProxy: config.trustedProxies ?? false,
    bodyLimit: MAX_BODY_BYTES,
    genReqId: () => randomUUID(),
    requestTimeout: 60_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: true },
  });
  // bigint columns that reach an answer are whole numbers to a reader.
  adapter.getInstance().setReplySerializer((payload) => JSON.stringify(payload, bigintAsNumber));
  return adapter;
}

function bigintAsNumber(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER)
    ? Number(value)
    : String(value);
}

/** Security headers, cookies, files and timing of requests. */
export async function configureHttp(
  app: NestFastifyApplication,
  config: Config,
  metrics: Metrics,
): Promise<void> {
  const https = config.publicUrl?.startsWith('https:') ?? false;
  await app.register(cookie);
  // A packed chart is named by the digest of its bytes: a client must get them as they are.
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', (route) => {
      if (route.url.startsWith('/charts')) route.compress = false;
    });
  await app.register(compress, {
    encodings: ['br', 'gzip'],
    threshold: COMPRESS_FROM_BYTES,
    customTypes: COMPRESSED,
    globalDecompression: false,
  });
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'", 'data:'],
        'font-src': ["'self'"],
        'connect-src': ["'self'"],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
      },
    },
    strictTransportSecurity: https ? { maxAge: 31_536_000 } : false,
    referrerPolicy: { policy: 'same-origin' },
  });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onResponse', (request, reply, done) => {
    metrics.http(request.method, request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime);
    done();
  });
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    void reply.header('x-request-id', request.id);
    if (request.url.startsWith('/api/') && !reply.hasHeader('cache-control')) {
      void reply.header('cache-control', 'no-store');
    }
    done();
  });
  await serveFiles(app, config);
}

async function serveFiles(app: NestFastifyApplication, config: Config): Promise<void> {
  if (config.webDir) {
    await app.register(statics, {
      root: folder(config.webDir, 'MUSTER_WEB_DIR'),
      wildcard: false,
      setHeaders: (reply, path) => {
        // The build names assets by their content.
        reply.header(
          'cache-control',
          /[/\\]assets[/\\]/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
        );
      },
    });
  }
  if (config.chartsDir) {
    await app.register(statics, {
      root: folder(config.chartsDir, 'MUSTER_CHARTS_DIR'),
      prefix: '/charts/',
      decorateReply: false,
      index: false,
    });
  }
}

function folder(path: string, setting: string): string {
  if (!existsSync(path))
    throw new MusterError('invalid', `${setting} names a folder that does not exist`, { where: path });
  return resolve(path);
}
