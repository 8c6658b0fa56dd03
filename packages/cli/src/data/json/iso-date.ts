/**
 * A day that exists, in years of four digits or a sign and six; its time, to milliseconds at most, has a zone.
 */
const ISO_DATE =
  /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/

/** Undefined for what is no date in ISO 8601, or a day that there is not. Without a time: midnight UTC. */
export function parseIsoDate(text: string): Date | undefined {
  const [whole, year, month, day] = ISO_DATE.exec(text) ?? []
  if (whole === undefined || year === '-000000') return undefined
  const date = new Date(text)
  // `Date` takes the 30th of February for a day in March.
  const midnight = new Date(`${year}-${month}-${day}`)
  const isThere = !Number.isNaN(date.getTime()) && midnight.getUTCDate() === Number(day)
  return isThere ? date : undefined
}
