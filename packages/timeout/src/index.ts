/** Entry of @cirque/timeout. Only re-exports. */
export { type Clock, systemClock } from './clock.ts';
export { type SleepOptions, sleep, withDeadline } from './deadline.ts';
export { formatHttpDate, httpDate } from './http-date.ts';
export { Timer } from './timer.ts';
export { defaultWheel, type Schedule, TimerWheel, type TimerWheelOptions } from './timer-wheel.ts';
