/**
 * The time in lines of the access log: `21/Nov/2026:05:59:00 +0000` in the time zone of the process, or milliseconds.
 *
 * Made once a second: the text of the last second is kept.
 */
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `000` to `999`. */
const THREE_DIGITS = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, '0'));

let knownSecond = Number.NaN;
let known = '';
let knownUnixSecond = Number.NaN;
let knownUnix = '';

/** Text of a time, in milliseconds since the epoch. */
export function combinedTime(timeMs: number): string {
  const second = Math.floor(timeMs / 1_000);
  if (second !== knownSecond) {
    known = format(new Date(timeMs));
    knownSecond = second;
  }
  return known;
}

/** `timeMs`, in milliseconds since the epoch, as digits. */
export function unixTime(timeMs: number): string {
  const second = Math.floor(timeMs / 1_000);
  if (second !== knownUnixSecond) {
    knownUnix = String(second);
    knownUnixSecond = second;
  }
  const digits = THREE_DIGITS[timeMs - second * 1_000];
  // Clocks count whole milliseconds, long after the first second.
  return digits === undefined || second < 1 ? String(timeMs) : knownUnix + digits;
}

function format(date: Date): string {
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  // Minutes that UTC is ahead.
  const ahead = date.getTimezoneOffset();
  const offset = Math.abs(ahead);
  return `${day}:${time} ${ahead > 0 ? '-' : '+'}${two(Math.floor(offset / 60))}${two(offset % 60)}`;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}
