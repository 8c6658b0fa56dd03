import { describe, expect, test } from 'vitest'
import { citiesWithIds, readCities } from './city-source.ts'

const source = (country: string, name: string) => ({
  name,
  country,
  featureCode: 'PPL',
  adminCode: '01',
  population: 1_000,
  lat: 1.5,
  lon: -2.5,
})

describe('city source', () => {
  test('ids: cities of several countries -> numbered within each, in order', () => {
    const cities = citiesWithIds([source('AD', 'a'), source('AE', 'b'), source('AD', 'c')])
    expect(cities.map(({ id }) => id)).toEqual(['AD-000001', 'AE-000001', 'AD-000002'])
    expect(cities[0]).toEqual({
      id: 'AD-000001',
      name: 'a',
      country: 'AD',
      population: 1_000,
      location: { lat: 1.5, lon: -2.5 },
      featureCode: 'PPL',
      adminCode: '01',
    })
  })

  test('ids: the whole package -> 138,398 different ones that never change', async () => {
    const cities = await readCities()
    expect(new Set(cities.map(({ id }) => id)).size).toBe(138_398)
    expect([0, 100_000, 138_397].map((i) => [cities[i]?.id, cities[i]?.name])).toEqual([
      ['AD-000001', 'El Tarter'],
      ['PK-000326', 'Dinga'],
      ['ZW-000064', 'Chitungwiza'],
    ])
  })

  test('ids: only the first cities read -> the same ids as among all', async () => {
    const all = await readCities()
    expect(await readCities(700)).toEqual(all.slice(0, 700))
  })
})
