import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AccessService } from './access.service.ts';
import { capped } from './authentication.ts';
import { ROLES } from './roles.ts';

const access = new AccessService();
const role = fc.constantFrom(...ROLES);
const project = fc.constantFrom('*', 'a', 'b');
const grants = fc.array(fc.record({ role, project }), { maxLength: 4 });
const actor = (list: { role: (typeof ROLES)[number]; project: string }[]) =>
  ({ kind: 'user', name: 'x', grants: list }) as const;

test('a capped token is allowed nothing that its user or its cap is not', () => {
  fc.assert(
    fc.property(
      grants,
      fc.option(role),
      fc.option(fc.constantFrom('a', 'b')),
      role,
      project,
      (have, cap, only, need, where) => {
        const token = actor(capped(have, cap, only));
        if (!access.allows(token, need, where)) return;
        expect(access.allows(actor(have), need, where)).toBe(true);
        if (cap !== null) expect(access.allows(actor([{ role: cap, project: '*' }]), need, where)).toBe(true);
        if (only !== null) expect(where).toBe(only);
      },
    ),
  );
});

test('who has a role nowhere is not told that it takes all projects', () => {
  expect(() => access.requireSomewhere('operator')).toThrow('this needs the role operator for its project');
  expect(() => access.require(actor([]), 'operator', 'shop')).toThrow('the role operator for project shop');
});

test('what is visible is what is allowed', () => {
  fc.assert(
    fc.property(grants, role, fc.constantFrom('a', 'b'), (have, need, where) => {
      const visible = access.visibleProjects(actor(have), need);
      expect(visible === '*' || visible.includes(where)).toBe(access.allows(actor(have), need, where));
    }),
  );
});
