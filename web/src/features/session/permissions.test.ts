import type { Role, Session } from '@muster/api';
import { describe, expect, it } from 'vitest';
import { allows } from './permissions.ts';

const session = (role: Role, project = '*'): Session => ({
  name: 'ada',
  kind: 'user',
  grants: [{ role, project }],
});

describe('what somebody may do', () => {
  it('follows the role', () => {
    expect(allows(session('viewer'), 'operator', 'shop')).toBe(false);
    expect(allows(session('operator'), 'operator', 'shop')).toBe(true);
    expect(allows(session('operator'), 'approver', '*')).toBe(false);
    expect(allows(session('admin'), 'approver', '*')).toBe(true);
  });

  it('ends at the project of the grant', () => {
    expect(allows(session('operator', 'shop'), 'operator', 'shop')).toBe(true);
    expect(allows(session('operator', 'shop'), 'operator', 'bank')).toBe(false);
    expect(allows(session('operator', 'shop'), 'operator', '*')).toBe(false);
  });

  it('is nothing for nobody', () => expect(allows(null, 'viewer', '*')).toBe(false));
});
