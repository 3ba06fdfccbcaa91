import { MusterError } from '@muster/base';
import { StandardSchemaValidationPipe } from '@nestjs/common';

interface Issue {
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
}

const SHOWN = 5;

/** Checks parameters against their `{ schema }`; the first issues go into the message, the first path into `where`. */
export class ValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => invalid(issues as readonly Issue[]) });
  }

  /**
   * Nest would delete every key `constructor` and `prototype`, which are ordinary data in a manifest. Fastify's JSON
   * parser has already refused `__proto__`.
   */
  protected override stripProtoKeys(): void {}
}

function invalid(issues: readonly Issue[]): MusterError {
  const texts = issues
    .slice(0, SHOWN)
    .map(({ message, path }) => (path?.length ? `${pathOf(path)}: ${message}` : message));
  if (issues.length > SHOWN) texts.push(`and ${issues.length - SHOWN} more`);
  const first = issues[0]?.path;
  return new MusterError('invalid', texts.join('; '), first?.length ? { where: pathOf(first) } : {});
}

function pathOf(path: NonNullable<Issue['path']>): string {
  return path.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.');
}
