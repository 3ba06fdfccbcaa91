import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const PREFIX = 'mjt_';

/** 256 random bits, with a prefix that secret scanners can find. */
export function newJoinToken(): string {
  return PREFIX + randomBytes(32).toString('base64url');
}

/** What is stored of a token. */
export function hashJoinToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

export function looksLikeJoinToken(token: string): boolean {
  return token.length === PREFIX.length + 43 && token.startsWith(PREFIX);
}

export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Why a stored token is no longer good for another use; undefined: it is. */
export function tokenProblem(
  token: { revoked_at: Date | null; expires_at: Date; uses: number; max_uses: number },
  now: Date,
): string | undefined {
  if (token.revoked_at) return 'the join token was revoked';
  if (token.expires_at.getTime() <= now.getTime())
    return `the join token expired at ${token.expires_at.toISOString()}`;
  if (token.uses >= token.max_uses) return 'the join token has been used up';
  return undefined;
}
