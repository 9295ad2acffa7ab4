import { LoadBalancer } from '@cirque/load-balancing';
import { expect, it } from 'vitest';
import { ControlService } from './control-service.ts';

it('ControlService is at one address at a time, or at none', async () => {
  const control = new ControlService({
    stats: async () => ({}),
    isReady: () => true,
    balancer: () => LoadBalancer.fromAddresses(['127.0.0.1:1']),
  });
  const names = (): string[] => control.group.services.map(({ name }) => name);
  await control.move(undefined);
  expect(names()).toEqual([]);
  await control.move('127.0.0.1:9901');
  const [first] = control.group.services;
  await control.move('127.0.0.1:9901');
  expect(control.group.services).toEqual([first]);
  await control.move('unix:/run/control.sock');
  expect(names()).toEqual(['control unix:/run/control.sock']);
  await control.move(undefined);
  expect(names()).toEqual([]);
});
