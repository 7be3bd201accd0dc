// Code generated from testdata/instructions.txt by go test -generate. DO NOT EDIT.

package wasmasm

// The instructions, named after the text format: i32.add is I32Add.
const (
	I32Load                       Op = 0x28     // i32.load
	I64Load                       Op = 0x29     // i64.load
	F32Load                       Op = 0x2A     // f32.load
	F64Load                       Op = 0x2B     // f64.load
	I32Load8S                     Op = 0x2C     // i32.load8_s
	I32Load8U                     Op = 0x2D     // i32.load8_u
	I32Load16S                    Op = 0x2E     // i32.load16_s
	I32Load16U                    Op = 0x2F     // i32.load16_u
	I64Load8S                     Op = 0x30     // i64.load8_s
	I64Load8U                     Op = 0x31     // i64.load8_u
	I64Load16S                    Op = 0x32     // i64.load16_s
	I64Load16U                    Op = 0x33     // i64.load16_u
	I64Load32S                    Op = 0x34     // i64.load32_s
	I64Load32U                    Op = 0x35     // i64.load32_u
	I32Store                      Op = 0x36     // i32.store
	I64Store                      Op = 0x37     // i64.store
	F32Store                      Op = 0x38     // f32.store
	F64Store                      Op = 0x39     // f64.store
	I32Store8                     Op = 0x3A     // i32.store8
	I32Store16                    Op = 0x3B     // i32.store16
	I64Store8                     Op = 0x3C     // i64.store8
	I64Store16                    Op = 0x3D     // i64.store16
	I64Store32                    Op = 0x3E     // i64.store32
	I32Eqz                        Op = 0x45     // i32.eqz
	I32Eq                         Op = 0x46     // i32.eq
	I32Ne                         Op = 0x47     // i32.ne
	I32LtS                        Op = 0x48     // i32.lt_s
	I32LtU                        Op = 0x49     // i32.lt_u
	I32GtS                        Op = 0x4A     // i32.gt_s
	I32GtU                        Op = 0x4B     // i32.gt_u
	I32LeS                        Op = 0x4C     // i32.le_s
	I32LeU                        Op = 0x4D     // i32.le_u
	I32GeS                        Op = 0x4E     // i32.ge_s
	I32GeU                        Op = 0x4F     // i32.ge_u
	I64Eqz                        Op = 0x50     // i64.eqz
	I64Eq                         Op = 0x51     // i64.eq
	I64Ne                         Op = 0x52     // i64.ne
	I64LtS                        Op = 0x53     // i64.lt_s
	I64LtU                        Op = 0x54     // i64.lt_u
	I64GtS                        Op = 0x55     // i64.gt_s
	I64GtU                        Op = 0x56     // i64.gt_u
	I64LeS                        Op = 0x57     // i64.le_s
	I64LeU                        Op = 0x58     // i64.le_u
	I64GeS                        Op = 0x59     // i64.ge_s
	I64GeU                        Op = 0x5A     // i64.ge_u
	F32Eq                         Op = 0x5B     // f32.eq
	F32Ne                         Op = 0x5C     // f32.ne
	F32Lt                         Op = 0x5D     // f32.lt
	F32Gt                         Op = 0x5E     // f32.gt
	F32Le                         Op = 0x5F     // f32.le
	F32Ge                         Op = 0x60     // f32.ge
	F64Eq                         Op = 0x61     // f64.eq
	F64Ne                         Op = 0x62     // f64.ne
	F64Lt                         Op = 0x63     // f64.lt
	F64Gt                         Op = 0x64     // f64.gt
	F64Le                         Op = 0x65     // f64.le
	F64Ge                         Op = 0x66     // f64.ge
	I32Clz                        Op = 0x67     // i32.clz
	I32Ctz                        Op = 0x68     // i32.ctz
	I32Popcnt                     Op = 0x69     // i32.popcnt
	I32Add                        Op = 0x6A     // i32.add
	I32Sub                        Op = 0x6B     // i32.sub
	I32Mul                        Op = 0x6C     // i32.mul
	I32DivS                       Op = 0x6D     // i32.div_s
	I32DivU                       Op = 0x6E     // i32.div_u
	I32RemS                       Op = 0x6F     // i32.rem_s
	I32RemU                       Op = 0x70     // i32.rem_u
	I32And                        Op = 0x71     // i32.and
	I32Or                         Op = 0x72     // i32.or
	I32Xor                        Op = 0x73     // i32.xor
	I32Shl                        Op = 0x74     // i32.shl
	I32ShrS                       Op = 0x75     // i32.shr_s
	I32ShrU                       Op = 0x76     // i32.shr_u
	I32Rotl                       Op = 0x77     // i32.rotl
	I32Rotr                       Op = 0x78     // i32.rotr
	I64Clz                        Op = 0x79     // i64.clz
	I64Ctz                        Op = 0x7A     // i64.ctz
	I64Popcnt                     Op = 0x7B     // i64.popcnt
	I64Add                        Op = 0x7C     // i64.add
	I64Sub                        Op = 0x7D     // i64.sub
	I64Mul                        Op = 0x7E     // i64.mul
	I64DivS                       Op = 0x7F     // i64.div_s
	I64DivU                       Op = 0x80     // i64.div_u
	I64RemS                       Op = 0x81     // i64.rem_s
	I64RemU                       Op = 0x82     // i64.rem_u
	I64And                        Op = 0x83     // i64.and
	I64Or                         Op = 0x84     // i64.or
	I64Xor                        Op = 0x85     // i64.xor
	I64Shl                        Op = 0x86     // i64.shl
	I64ShrS                       Op = 0x87     // i64.shr_s
	I64ShrU                       Op = 0x88     // i64.shr_u
	I64Rotl                       Op = 0x89     // i64.rotl
	I64Rotr                       Op = 0x8A     // i64.rotr
	F32Abs                        Op = 0x8B     // f32.abs
	F32Neg                        Op = 0x8C     // f32.neg
	F32Ceil                       Op = 0x8D     // f32.ceil
	F32Floor                      Op = 0x8E     // f32.floor
	F32Trunc                      Op = 0x8F     // f32.trunc
	F32Nearest                    Op = 0x90     // f32.nearest
	F32Sqrt                       Op = 0x91     // f32.sqrt
	F32Add                        Op = 0x92     // f32.add
	F32Sub                        Op = 0x93     // f32.sub
	F32Mul                        Op = 0x94     // f32.mul
	F32Div                        Op = 0x95     // f32.div
	F32Min                        Op = 0x96     // f32.min
	F32Max                        Op = 0x97     // f32.max
	F32Copysign                   Op = 0x98     // f32.copysign
	F64Abs                        Op = 0x99     // f64.abs
	F64Neg                        Op = 0x9A     // f64.neg
	F64Ceil                       Op = 0x9B     // f64.ceil
	F64Floor                      Op = 0x9C     // f64.floor
	F64Trunc                      Op = 0x9D     // f64.trunc
	F64Nearest                    Op = 0x9E     // f64.nearest
	F64Sqrt                       Op = 0x9F     // f64.sqrt
	F64Add                        Op = 0xA0     // f64.add
	F64Sub                        Op = 0xA1     // f64.sub
	F64Mul                        Op = 0xA2     // f64.mul
	F64Div                        Op = 0xA3     // f64.div
	F64Min                        Op = 0xA4     // f64.min
	F64Max                        Op = 0xA5     // f64.max
	F64Copysign                   Op = 0xA6     // f64.copysign
	I32WrapI64                    Op = 0xA7     // i32.wrap_i64
	I32TruncF32S                  Op = 0xA8     // i32.trunc_f32_s
	I32TruncF32U                  Op = 0xA9     // i32.trunc_f32_u
	I32TruncF64S                  Op = 0xAA     // i32.trunc_f64_s
	I32TruncF64U                  Op = 0xAB     // i32.trunc_f64_u
	I64ExtendI32S                 Op = 0xAC     // i64.extend_i32_s
	I64ExtendI32U                 Op = 0xAD     // i64.extend_i32_u
	I64TruncF32S                  Op = 0xAE     // i64.trunc_f32_s
	I64TruncF32U                  Op = 0xAF     // i64.trunc_f32_u
	I64TruncF64S                  Op = 0xB0     // i64.trunc_f64_s
	I64TruncF64U                  Op = 0xB1     // i64.trunc_f64_u
	F32ConvertI32S                Op = 0xB2     // f32.convert_i32_s
	F32ConvertI32U                Op = 0xB3     // f32.convert_i32_u
	F32ConvertI64S                Op = 0xB4     // f32.convert_i64_s
	F32ConvertI64U                Op = 0xB5     // f32.convert_i64_u
	F32DemoteF64                  Op = 0xB6     // f32.demote_f64
	F64ConvertI32S                Op = 0xB7     // f64.convert_i32_s
	F64ConvertI32U                Op = 0xB8     // f64.convert_i32_u
	F64ConvertI64S                Op = 0xB9     // f64.convert_i64_s
	F64ConvertI64U                Op = 0xBA     // f64.convert_i64_u
	F64PromoteF32                 Op = 0xBB     // f64.promote_f32
	I32ReinterpretF32             Op = 0xBC     // i32.reinterpret_f32
	I64ReinterpretF64             Op = 0xBD     // i64.reinterpret_f64
	F32ReinterpretI32             Op = 0xBE     // f32.reinterpret_i32
	F64ReinterpretI64             Op = 0xBF     // f64.reinterpret_i64
	I32Extend8S                   Op = 0xC0     // i32.extend8_s
	I32Extend16S                  Op = 0xC1     // i32.extend16_s
	I64Extend8S                   Op = 0xC2     // i64.extend8_s
	I64Extend16S                  Op = 0xC3     // i64.extend16_s
	I64Extend32S                  Op = 0xC4     // i64.extend32_s
	I32TruncSatF32S               Op = 0xFC0000 // i32.trunc_sat_f32_s
	I32TruncSatF32U               Op = 0xFC0001 // i32.trunc_sat_f32_u
	I32TruncSatF64S               Op = 0xFC0002 // i32.trunc_sat_f64_s
	I32TruncSatF64U               Op = 0xFC0003 // i32.trunc_sat_f64_u
	I64TruncSatF32S               Op = 0xFC0004 // i64.trunc_sat_f32_s
	I64TruncSatF32U               Op = 0xFC0005 // i64.trunc_sat_f32_u
	I64TruncSatF64S               Op = 0xFC0006 // i64.trunc_sat_f64_s
	I64TruncSatF64U               Op = 0xFC0007 // i64.trunc_sat_f64_u
	V128Load                      Op = 0xFD0000 // v128.load
	V128Load8x8S                  Op = 0xFD0001 // v128.load8x8_s
	V128Load8x8U                  Op = 0xFD0002 // v128.load8x8_u
	V128Load16x4S                 Op = 0xFD0003 // v128.load16x4_s
	V128Load16x4U                 Op = 0xFD0004 // v128.load16x4_u
	V128Load32x2S                 Op = 0xFD0005 // v128.load32x2_s
	V128Load32x2U                 Op = 0xFD0006 // v128.load32x2_u
	V128Load8Splat                Op = 0xFD0007 // v128.load8_splat
	V128Load16Splat               Op = 0xFD0008 // v128.load16_splat
	V128Load32Splat               Op = 0xFD0009 // v128.load32_splat
	V128Load64Splat               Op = 0xFD000A // v128.load64_splat
	V128Store                     Op = 0xFD000B // v128.store
	I8x16Swizzle                  Op = 0xFD000E // i8x16.swizzle
	I8x16Splat                    Op = 0xFD000F // i8x16.splat
	I16x8Splat                    Op = 0xFD0010 // i16x8.splat
	I32x4Splat                    Op = 0xFD0011 // i32x4.splat
	I64x2Splat                    Op = 0xFD0012 // i64x2.splat
	F32x4Splat                    Op = 0xFD0013 // f32x4.splat
	F64x2Splat                    Op = 0xFD0014 // f64x2.splat
	I8x16ExtractLaneS             Op = 0xFD0015 // i8x16.extract_lane_s
	I8x16ExtractLaneU             Op = 0xFD0016 // i8x16.extract_lane_u
	I8x16ReplaceLane              Op = 0xFD0017 // i8x16.replace_lane
	I16x8ExtractLaneS             Op = 0xFD0018 // i16x8.extract_lane_s
	I16x8ExtractLaneU             Op = 0xFD0019 // i16x8.extract_lane_u
	I16x8ReplaceLane              Op = 0xFD001A // i16x8.replace_lane
	I32x4ExtractLane              Op = 0xFD001B // i32x4.extract_lane
	I32x4ReplaceLane              Op = 0xFD001C // i32x4.replace_lane
	I64x2ExtractLane              Op = 0xFD001D // i64x2.extract_lane
	I64x2ReplaceLane              Op = 0xFD001E // i64x2.replace_lane
	F32x4ExtractLane              Op = 0xFD001F // f32x4.extract_lane
	F32x4ReplaceLane              Op = 0xFD0020 // f32x4.replace_lane
	F64x2ExtractLane              Op = 0xFD0021 // f64x2.extract_lane
	F64x2ReplaceLane              Op = 0xFD0022 // f64x2.replace_lane
	I8x16Eq                       Op = 0xFD0023 // i8x16.eq
	I8x16Ne                       Op = 0xFD0024 // i8x16.ne
	I8x16LtS                      Op = 0xFD0025 // i8x16.lt_s
	I8x16LtU                      Op = 0xFD0026 // i8x16.lt_u
	I8x16GtS                      Op = 0xFD0027 // i8x16.gt_s
	I8x16GtU                      Op = 0xFD0028 // i8x16.gt_u
	I8x16LeS                      Op = 0xFD0029 // i8x16.le_s
	I8x16LeU                      Op = 0xFD002A // i8x16.le_u
	I8x16GeS                      Op = 0xFD002B // i8x16.ge_s
	I8x16GeU                      Op = 0xFD002C // i8x16.ge_u
	I16x8Eq                       Op = 0xFD002D // i16x8.eq
	I16x8Ne                       Op = 0xFD002E // i16x8.ne
	I16x8LtS                      Op = 0xFD002F // i16x8.lt_s
	I16x8LtU                      Op = 0xFD0030 // i16x8.lt_u
	I16x8GtS                      Op = 0xFD0031 // i16x8.gt_s
	I16x8GtU                      Op = 0xFD0032 // i16x8.gt_u
	I16x8LeS                      Op = 0xFD0033 // i16x8.le_s
	I16x8LeU                      Op = 0xFD0034 // i16x8.le_u
	I16x8GeS                      Op = 0xFD0035 // i16x8.ge_s
	I16x8GeU                      Op = 0xFD0036 // i16x8.ge_u
	I32x4Eq                       Op = 0xFD0037 // i32x4.eq
	I32x4Ne                       Op = 0xFD0038 // i32x4.ne
	I32x4LtS                      Op = 0xFD0039 // i32x4.lt_s
	I32x4LtU                      Op = 0xFD003A // i32x4.lt_u
	I32x4GtS                      Op = 0xFD003B // i32x4.gt_s
	I32x4GtU                      Op = 0xFD003C // i32x4.gt_u
	I32x4LeS                      Op = 0xFD003D // i32x4.le_s
	I32x4LeU                      Op = 0xFD003E // i32x4.le_u
	I32x4GeS                      Op = 0xFD003F // i32x4.ge_s
	I32x4GeU                      Op = 0xFD0040 // i32x4.ge_u
	F32x4Eq                       Op = 0xFD0041 // f32x4.eq
	F32x4Ne                       Op = 0xFD0042 // f32x4.ne
	F32x4Lt                       Op = 0xFD0043 // f32x4.lt
	F32x4Gt                       Op = 0xFD0044 // f32x4.gt
	F32x4Le                       Op = 0xFD0045 // f32x4.le
	F32x4Ge                       Op = 0xFD0046 // f32x4.ge
	F64x2Eq                       Op = 0xFD0047 // f64x2.eq
	F64x2Ne                       Op = 0xFD0048 // f64x2.ne
	F64x2Lt                       Op = 0xFD0049 // f64x2.lt
	F64x2Gt                       Op = 0xFD004A // f64x2.gt
	F64x2Le                       Op = 0xFD004B // f64x2.le
	F64x2Ge                       Op = 0xFD004C // f64x2.ge
	V128Not                       Op = 0xFD004D // v128.not
	V128And                       Op = 0xFD004E // v128.and
	V128Andnot                    Op = 0xFD004F // v128.andnot
	V128Or                        Op = 0xFD0050 // v128.or
	V128Xor                       Op = 0xFD0051 // v128.xor
	V128Bitselect                 Op = 0xFD0052 // v128.bitselect
	V128AnyTrue                   Op = 0xFD0053 // v128.any_true
	V128Load8Lane                 Op = 0xFD0054 // v128.load8_lane
	V128Load16Lane                Op = 0xFD0055 // v128.load16_lane
	V128Load32Lane                Op = 0xFD0056 // v128.load32_lane
	V128Load64Lane                Op = 0xFD0057 // v128.load64_lane
	V128Store8Lane                Op = 0xFD0058 // v128.store8_lane
	V128Store16Lane               Op = 0xFD0059 // v128.store16_lane
	V128Store32Lane               Op = 0xFD005A // v128.store32_lane
	V128Store64Lane               Op = 0xFD005B // v128.store64_lane
	V128Load32Zero                Op = 0xFD005C // v128.load32_zero
	V128Load64Zero                Op = 0xFD005D // v128.load64_zero
	F32x4DemoteF64x2Zero          Op = 0xFD005E // f32x4.demote_f64x2_zero
	F64x2PromoteLowF32x4          Op = 0xFD005F // f64x2.promote_low_f32x4
	I8x16Abs                      Op = 0xFD0060 // i8x16.abs
	I8x16Neg                      Op = 0xFD0061 // i8x16.neg
	I8x16Popcnt                   Op = 0xFD0062 // i8x16.popcnt
	I8x16AllTrue                  Op = 0xFD0063 // i8x16.all_true
	I8x16Bitmask                  Op = 0xFD0064 // i8x16.bitmask
	I8x16NarrowI16x8S             Op = 0xFD0065 // i8x16.narrow_i16x8_s
	I8x16NarrowI16x8U             Op = 0xFD0066 // i8x16.narrow_i16x8_u
	F32x4Ceil                     Op = 0xFD0067 // f32x4.ceil
	F32x4Floor                    Op = 0xFD0068 // f32x4.floor
	F32x4Trunc                    Op = 0xFD0069 // f32x4.trunc
	F32x4Nearest                  Op = 0xFD006A // f32x4.nearest
	I8x16Shl                      Op = 0xFD006B // i8x16.shl
	I8x16ShrS                     Op = 0xFD006C // i8x16.shr_s
	I8x16ShrU                     Op = 0xFD006D // i8x16.shr_u
	I8x16Add                      Op = 0xFD006E // i8x16.add
	I8x16AddSatS                  Op = 0xFD006F // i8x16.add_sat_s
	I8x16AddSatU                  Op = 0xFD0070 // i8x16.add_sat_u
	I8x16Sub                      Op = 0xFD0071 // i8x16.sub
	I8x16SubSatS                  Op = 0xFD0072 // i8x16.sub_sat_s
	I8x16SubSatU                  Op = 0xFD0073 // i8x16.sub_sat_u
	F64x2Ceil                     Op = 0xFD0074 // f64x2.ceil
	F64x2Floor                    Op = 0xFD0075 // f64x2.floor
	I8x16MinS                     Op = 0xFD0076 // i8x16.min_s
	I8x16MinU                     Op = 0xFD0077 // i8x16.min_u
	I8x16MaxS                     Op = 0xFD0078 // i8x16.max_s
	I8x16MaxU                     Op = 0xFD0079 // i8x16.max_u
	F64x2Trunc                    Op = 0xFD007A // f64x2.trunc
	I8x16AvgrU                    Op = 0xFD007B // i8x16.avgr_u
	I16x8ExtaddPairwiseI8x16S     Op = 0xFD007C // i16x8.extadd_pairwise_i8x16_s
	I16x8ExtaddPairwiseI8x16U     Op = 0xFD007D // i16x8.extadd_pairwise_i8x16_u
	I32x4ExtaddPairwiseI16x8S     Op = 0xFD007E // i32x4.extadd_pairwise_i16x8_s
	I32x4ExtaddPairwiseI16x8U     Op = 0xFD007F // i32x4.extadd_pairwise_i16x8_u
	I16x8Abs                      Op = 0xFD0080 // i16x8.abs
	I16x8Neg                      Op = 0xFD0081 // i16x8.neg
	I16x8Q15mulrSatS              Op = 0xFD0082 // i16x8.q15mulr_sat_s
	I16x8AllTrue                  Op = 0xFD0083 // i16x8.all_true
	I16x8Bitmask                  Op = 0xFD0084 // i16x8.bitmask
	I16x8NarrowI32x4S             Op = 0xFD0085 // i16x8.narrow_i32x4_s
	I16x8NarrowI32x4U             Op = 0xFD0086 // i16x8.narrow_i32x4_u
	I16x8ExtendLowI8x16S          Op = 0xFD0087 // i16x8.extend_low_i8x16_s
	I16x8ExtendHighI8x16S         Op = 0xFD0088 // i16x8.extend_high_i8x16_s
	I16x8ExtendLowI8x16U          Op = 0xFD0089 // i16x8.extend_low_i8x16_u
	I16x8ExtendHighI8x16U         Op = 0xFD008A // i16x8.extend_high_i8x16_u
	I16x8Shl                      Op = 0xFD008B // i16x8.shl
	I16x8ShrS                     Op = 0xFD008C // i16x8.shr_s
	I16x8ShrU                     Op = 0xFD008D // i16x8.shr_u
	I16x8Add                      Op = 0xFD008E // i16x8.add
	I16x8AddSatS                  Op = 0xFD008F // i16x8.add_sat_s
	I16x8AddSatU                  Op = 0xFD0090 // i16x8.add_sat_u
	I16x8Sub                      Op = 0xFD0091 // i16x8.sub
	I16x8SubSatS                  Op = 0xFD0092 // i16x8.sub_sat_s
	I16x8SubSatU                  Op = 0xFD0093 // i16x8.sub_sat_u
	F64x2Nearest                  Op = 0xFD0094 // f64x2.nearest
	I16x8Mul                      Op = 0xFD0095 // i16x8.mul
	I16x8MinS                     Op = 0xFD0096 // i16x8.min_s
	I16x8MinU                     Op = 0xFD0097 // i16x8.min_u
	I16x8MaxS                     Op = 0xFD0098 // i16x8.max_s
	I16x8MaxU                     Op = 0xFD0099 // i16x8.max_u
	I16x8AvgrU                    Op = 0xFD009B // i16x8.avgr_u
	I16x8ExtmulLowI8x16S          Op = 0xFD009C // i16x8.extmul_low_i8x16_s
	I16x8ExtmulHighI8x16S         Op = 0xFD009D // i16x8.extmul_high_i8x16_s
	I16x8ExtmulLowI8x16U          Op = 0xFD009E // i16x8.extmul_low_i8x16_u
	I16x8ExtmulHighI8x16U         Op = 0xFD009F // i16x8.extmul_high_i8x16_u
	I32x4Abs                      Op = 0xFD00A0 // i32x4.abs
	I32x4Neg                      Op = 0xFD00A1 // i32x4.neg
	I32x4AllTrue                  Op = 0xFD00A3 // i32x4.all_true
	I32x4Bitmask                  Op = 0xFD00A4 // i32x4.bitmask
	I32x4ExtendLowI16x8S          Op = 0xFD00A7 // i32x4.extend_low_i16x8_s
	I32x4ExtendHighI16x8S         Op = 0xFD00A8 // i32x4.extend_high_i16x8_s
	I32x4ExtendLowI16x8U          Op = 0xFD00A9 // i32x4.extend_low_i16x8_u
	I32x4ExtendHighI16x8U         Op = 0xFD00AA // i32x4.extend_high_i16x8_u
	I32x4Shl                      Op = 0xFD00AB // i32x4.shl
	I32x4ShrS                     Op = 0xFD00AC // i32x4.shr_s
	I32x4ShrU                     Op = 0xFD00AD // i32x4.shr_u
	I32x4Add                      Op = 0xFD00AE // i32x4.add
	I32x4Sub                      Op = 0xFD00B1 // i32x4.sub
	I32x4Mul                      Op = 0xFD00B5 // i32x4.mul
	I32x4MinS                     Op = 0xFD00B6 // i32x4.min_s
	I32x4MinU                     Op = 0xFD00B7 // i32x4.min_u
	I32x4MaxS                     Op = 0xFD00B8 // i32x4.max_s
	I32x4MaxU                     Op = 0xFD00B9 // i32x4.max_u
	I32x4DotI16x8S                Op = 0xFD00BA // i32x4.dot_i16x8_s
	I32x4ExtmulLowI16x8S          Op = 0xFD00BC // i32x4.extmul_low_i16x8_s
	I32x4ExtmulHighI16x8S         Op = 0xFD00BD // i32x4.extmul_high_i16x8_s
	I32x4ExtmulLowI16x8U          Op = 0xFD00BE // i32x4.extmul_low_i16x8_u
	I32x4ExtmulHighI16x8U         Op = 0xFD00BF // i32x4.extmul_high_i16x8_u
	I64x2Abs                      Op = 0xFD00C0 // i64x2.abs
	I64x2Neg                      Op = 0xFD00C1 // i64x2.neg
	I64x2AllTrue                  Op = 0xFD00C3 // i64x2.all_true
	I64x2Bitmask                  Op = 0xFD00C4 // i64x2.bitmask
	I64x2ExtendLowI32x4S          Op = 0xFD00C7 // i64x2.extend_low_i32x4_s
	I64x2ExtendHighI32x4S         Op = 0xFD00C8 // i64x2.extend_high_i32x4_s
	I64x2ExtendLowI32x4U          Op = 0xFD00C9 // i64x2.extend_low_i32x4_u
	I64x2ExtendHighI32x4U         Op = 0xFD00CA // i64x2.extend_high_i32x4_u
	I64x2Shl                      Op = 0xFD00CB // i64x2.shl
	I64x2ShrS                     Op = 0xFD00CC // i64x2.shr_s
	I64x2ShrU                     Op = 0xFD00CD // i64x2.shr_u
	I64x2Add                      Op = 0xFD00CE // i64x2.add
	I64x2Sub                      Op = 0xFD00D1 // i64x2.sub
	I64x2Mul                      Op = 0xFD00D5 // i64x2.mul
	I64x2Eq                       Op = 0xFD00D6 // i64x2.eq
	I64x2Ne                       Op = 0xFD00D7 // i64x2.ne
	I64x2LtS                      Op = 0xFD00D8 // i64x2.lt_s
	I64x2GtS                      Op = 0xFD00D9 // i64x2.gt_s
	I64x2LeS                      Op = 0xFD00DA // i64x2.le_s
	I64x2GeS                      Op = 0xFD00DB // i64x2.ge_s
	I64x2ExtmulLowI32x4S          Op = 0xFD00DC // i64x2.extmul_low_i32x4_s
	I64x2ExtmulHighI32x4S         Op = 0xFD00DD // i64x2.extmul_high_i32x4_s
	I64x2ExtmulLowI32x4U          Op = 0xFD00DE // i64x2.extmul_low_i32x4_u
	I64x2ExtmulHighI32x4U         Op = 0xFD00DF // i64x2.extmul_high_i32x4_u
	F32x4Abs                      Op = 0xFD00E0 // f32x4.abs
	F32x4Neg                      Op = 0xFD00E1 // f32x4.neg
	F32x4Sqrt                     Op = 0xFD00E3 // f32x4.sqrt
	F32x4Add                      Op = 0xFD00E4 // f32x4.add
	F32x4Sub                      Op = 0xFD00E5 // f32x4.sub
	F32x4Mul                      Op = 0xFD00E6 // f32x4.mul
	F32x4Div                      Op = 0xFD00E7 // f32x4.div
	F32x4Min                      Op = 0xFD00E8 // f32x4.min
	F32x4Max                      Op = 0xFD00E9 // f32x4.max
	F32x4Pmin                     Op = 0xFD00EA // f32x4.pmin
	F32x4Pmax                     Op = 0xFD00EB // f32x4.pmax
	F64x2Abs                      Op = 0xFD00EC // f64x2.abs
	F64x2Neg                      Op = 0xFD00ED // f64x2.neg
	F64x2Sqrt                     Op = 0xFD00EF // f64x2.sqrt
	F64x2Add                      Op = 0xFD00F0 // f64x2.add
	F64x2Sub                      Op = 0xFD00F1 // f64x2.sub
	F64x2Mul                      Op = 0xFD00F2 // f64x2.mul
	F64x2Div                      Op = 0xFD00F3 // f64x2.div
	F64x2Min                      Op = 0xFD00F4 // f64x2.min
	F64x2Max                      Op = 0xFD00F5 // f64x2.max
	F64x2Pmin                     Op = 0xFD00F6 // f64x2.pmin
	F64x2Pmax                     Op = 0xFD00F7 // f64x2.pmax
	I32x4TruncSatF32x4S           Op = 0xFD00F8 // i32x4.trunc_sat_f32x4_s
	I32x4TruncSatF32x4U           Op = 0xFD00F9 // i32x4.trunc_sat_f32x4_u
	F32x4ConvertI32x4S            Op = 0xFD00FA // f32x4.convert_i32x4_s
	F32x4ConvertI32x4U            Op = 0xFD00FB // f32x4.convert_i32x4_u
	I32x4TruncSatF64x2SZero       Op = 0xFD00FC // i32x4.trunc_sat_f64x2_s_zero
	I32x4TruncSatF64x2UZero       Op = 0xFD00FD // i32x4.trunc_sat_f64x2_u_zero
	F64x2ConvertLowI32x4S         Op = 0xFD00FE // f64x2.convert_low_i32x4_s
	F64x2ConvertLowI32x4U         Op = 0xFD00FF // f64x2.convert_low_i32x4_u
	I8x16RelaxedSwizzle           Op = 0xFD0100 // i8x16.relaxed_swizzle
	I32x4RelaxedTruncF32x4S       Op = 0xFD0101 // i32x4.relaxed_trunc_f32x4_s
	I32x4RelaxedTruncF32x4U       Op = 0xFD0102 // i32x4.relaxed_trunc_f32x4_u
	I32x4RelaxedTruncF64x2SZero   Op = 0xFD0103 // i32x4.relaxed_trunc_f64x2_s_zero
	I32x4RelaxedTruncF64x2UZero   Op = 0xFD0104 // i32x4.relaxed_trunc_f64x2_u_zero
	F32x4RelaxedMadd              Op = 0xFD0105 // f32x4.relaxed_madd
	F32x4RelaxedNmadd             Op = 0xFD0106 // f32x4.relaxed_nmadd
	F64x2RelaxedMadd              Op = 0xFD0107 // f64x2.relaxed_madd
	F64x2RelaxedNmadd             Op = 0xFD0108 // f64x2.relaxed_nmadd
	I8x16RelaxedLaneselect        Op = 0xFD0109 // i8x16.relaxed_laneselect
	I16x8RelaxedLaneselect        Op = 0xFD010A // i16x8.relaxed_laneselect
	I32x4RelaxedLaneselect        Op = 0xFD010B // i32x4.relaxed_laneselect
	I64x2RelaxedLaneselect        Op = 0xFD010C // i64x2.relaxed_laneselect
	F32x4RelaxedMin               Op = 0xFD010D // f32x4.relaxed_min
	F32x4RelaxedMax               Op = 0xFD010E // f32x4.relaxed_max
	F64x2RelaxedMin               Op = 0xFD010F // f64x2.relaxed_min
	F64x2RelaxedMax               Op = 0xFD0110 // f64x2.relaxed_max
	I16x8RelaxedQ15mulrS          Op = 0xFD0111 // i16x8.relaxed_q15mulr_s
	I16x8RelaxedDotI8x16I7x16S    Op = 0xFD0112 // i16x8.relaxed_dot_i8x16_i7x16_s
	I32x4RelaxedDotI8x16I7x16AddS Op = 0xFD0113 // i32x4.relaxed_dot_i8x16_i7x16_add_s
	MemoryAtomicNotify            Op = 0xFE0000 // memory.atomic.notify
	MemoryAtomicWait32            Op = 0xFE0001 // memory.atomic.wait32
	MemoryAtomicWait64            Op = 0xFE0002 // memory.atomic.wait64
	I32AtomicLoad                 Op = 0xFE0010 // i32.atomic.load
	I64AtomicLoad                 Op = 0xFE0011 // i64.atomic.load
	I32AtomicLoad8U               Op = 0xFE0012 // i32.atomic.load8_u
	I32AtomicLoad16U              Op = 0xFE0013 // i32.atomic.load16_u
	I64AtomicLoad8U               Op = 0xFE0014 // i64.atomic.load8_u
	I64AtomicLoad16U              Op = 0xFE0015 // i64.atomic.load16_u
	I64AtomicLoad32U              Op = 0xFE0016 // i64.atomic.load32_u
	I32AtomicStore                Op = 0xFE0017 // i32.atomic.store
	I64AtomicStore                Op = 0xFE0018 // i64.atomic.store
	I32AtomicStore8               Op = 0xFE0019 // i32.atomic.store8
	I32AtomicStore16              Op = 0xFE001A // i32.atomic.store16
	I64AtomicStore8               Op = 0xFE001B // i64.atomic.store8
	I64AtomicStore16              Op = 0xFE001C // i64.atomic.store16
	I64AtomicStore32              Op = 0xFE001D // i64.atomic.store32
	I32AtomicRmwAdd               Op = 0xFE001E // i32.atomic.rmw.add
	I64AtomicRmwAdd               Op = 0xFE001F // i64.atomic.rmw.add
	I32AtomicRmw8AddU             Op = 0xFE0020 // i32.atomic.rmw8.add_u
	I32AtomicRmw16AddU            Op = 0xFE0021 // i32.atomic.rmw16.add_u
	I64AtomicRmw8AddU             Op = 0xFE0022 // i64.atomic.rmw8.add_u
	I64AtomicRmw16AddU            Op = 0xFE0023 // i64.atomic.rmw16.add_u
	I64AtomicRmw32AddU            Op = 0xFE0024 // i64.atomic.rmw32.add_u
	I32AtomicRmwSub               Op = 0xFE0025 // i32.atomic.rmw.sub
	I64AtomicRmwSub               Op = 0xFE0026 // i64.atomic.rmw.sub
	I32AtomicRmw8SubU             Op = 0xFE0027 // i32.atomic.rmw8.sub_u
	I32AtomicRmw16SubU            Op = 0xFE0028 // i32.atomic.rmw16.sub_u
	I64AtomicRmw8SubU             Op = 0xFE0029 // i64.atomic.rmw8.sub_u
	I64AtomicRmw16SubU            Op = 0xFE002A // i64.atomic.rmw16.sub_u
	I64AtomicRmw32SubU            Op = 0xFE002B // i64.atomic.rmw32.sub_u
	I32AtomicRmwAnd               Op = 0xFE002C // i32.atomic.rmw.and
	I64AtomicRmwAnd               Op = 0xFE002D // i64.atomic.rmw.and
	I32AtomicRmw8AndU             Op = 0xFE002E // i32.atomic.rmw8.and_u
	I32AtomicRmw16AndU            Op = 0xFE002F // i32.atomic.rmw16.and_u
	I64AtomicRmw8AndU             Op = 0xFE0030 // i64.atomic.rmw8.and_u
	I64AtomicRmw16AndU            Op = 0xFE0031 // i64.atomic.rmw16.and_u
	I64AtomicRmw32AndU            Op = 0xFE0032 // i64.atomic.rmw32.and_u
	I32AtomicRmwOr                Op = 0xFE0033 // i32.atomic.rmw.or
	I64AtomicRmwOr                Op = 0xFE0034 // i64.atomic.rmw.or
	I32AtomicRmw8OrU              Op = 0xFE0035 // i32.atomic.rmw8.or_u
	I32AtomicRmw16OrU             Op = 0xFE0036 // i32.atomic.rmw16.or_u
	I64AtomicRmw8OrU              Op = 0xFE0037 // i64.atomic.rmw8.or_u
	I64AtomicRmw16OrU             Op = 0xFE0038 // i64.atomic.rmw16.or_u
	I64AtomicRmw32OrU             Op = 0xFE0039 // i64.atomic.rmw32.or_u
	I32AtomicRmwXor               Op = 0xFE003A // i32.atomic.rmw.xor
	I64AtomicRmwXor               Op = 0xFE003B // i64.atomic.rmw.xor
	I32AtomicRmw8XorU             Op = 0xFE003C // i32.atomic.rmw8.xor_u
	I32AtomicRmw16XorU            Op = 0xFE003D // i32.atomic.rmw16.xor_u
	I64AtomicRmw8XorU             Op = 0xFE003E // i64.atomic.rmw8.xor_u
	I64AtomicRmw16XorU            Op = 0xFE003F // i64.atomic.rmw16.xor_u
	I64AtomicRmw32XorU            Op = 0xFE0040 // i64.atomic.rmw32.xor_u
	I32AtomicRmwXchg              Op = 0xFE0041 // i32.atomic.rmw.xchg
	I64AtomicRmwXchg              Op = 0xFE0042 // i64.atomic.rmw.xchg
	I32AtomicRmw8XchgU            Op = 0xFE0043 // i32.atomic.rmw8.xchg_u
	I32AtomicRmw16XchgU           Op = 0xFE0044 // i32.atomic.rmw16.xchg_u
	I64AtomicRmw8XchgU            Op = 0xFE0045 // i64.atomic.rmw8.xchg_u
	I64AtomicRmw16XchgU           Op = 0xFE0046 // i64.atomic.rmw16.xchg_u
	I64AtomicRmw32XchgU           Op = 0xFE0047 // i64.atomic.rmw32.xchg_u
	I32AtomicRmwCmpxchg           Op = 0xFE0048 // i32.atomic.rmw.cmpxchg
	I64AtomicRmwCmpxchg           Op = 0xFE0049 // i64.atomic.rmw.cmpxchg
	I32AtomicRmw8CmpxchgU         Op = 0xFE004A // i32.atomic.rmw8.cmpxchg_u
	I32AtomicRmw16CmpxchgU        Op = 0xFE004B // i32.atomic.rmw16.cmpxchg_u
	I64AtomicRmw8CmpxchgU         Op = 0xFE004C // i64.atomic.rmw8.cmpxchg_u
	I64AtomicRmw16CmpxchgU        Op = 0xFE004D // i64.atomic.rmw16.cmpxchg_u
	I64AtomicRmw32CmpxchgU        Op = 0xFE004E // i64.atomic.rmw32.cmpxchg_u
)

var opList = [...]Op{
	I32Load,
	I64Load,
	F32Load,
	F64Load,
	I32Load8S,
	I32Load8U,
	I32Load16S,
	I32Load16U,
	I64Load8S,
	I64Load8U,
	I64Load16S,
	I64Load16U,
	I64Load32S,
	I64Load32U,
	I32Store,
	I64Store,
	F32Store,
	F64Store,
	I32Store8,
	I32Store16,
	I64Store8,
	I64Store16,
	I64Store32,
	I32Eqz,
	I32Eq,
	I32Ne,
	I32LtS,
	I32LtU,
	I32GtS,
	I32GtU,
	I32LeS,
	I32LeU,
	I32GeS,
	I32GeU,
	I64Eqz,
	I64Eq,
	I64Ne,
	I64LtS,
	I64LtU,
	I64GtS,
	I64GtU,
	I64LeS,
	I64LeU,
	I64GeS,
	I64GeU,
	F32Eq,
	F32Ne,
	F32Lt,
	F32Gt,
	F32Le,
	F32Ge,
	F64Eq,
	F64Ne,
	F64Lt,
	F64Gt,
	F64Le,
	F64Ge,
	I32Clz,
	I32Ctz,
	I32Popcnt,
	I32Add,
	I32Sub,
	I32Mul,
	I32DivS,
	I32DivU,
	I32RemS,
	I32RemU,
	I32And,
	I32Or,
	I32Xor,
	I32Shl,
	I32ShrS,
	I32ShrU,
	I32Rotl,
	I32Rotr,
	I64Clz,
	I64Ctz,
	I64Popcnt,
	I64Add,
	I64Sub,
	I64Mul,
	I64DivS,
	I64DivU,
	I64RemS,
	I64RemU,
	I64And,
	I64Or,
	I64Xor,
	I64Shl,
	I64ShrS,
	I64ShrU,
	I64Rotl,
	I64Rotr,
	F32Abs,
	F32Neg,
	F32Ceil,
	F32Floor,
	F32Trunc,
	F32Nearest,
	F32Sqrt,
	F32Add,
	F32Sub,
	F32Mul,
	F32Div,
	F32Min,
	F32Max,
	F32Copysign,
	F64Abs,
	F64Neg,
	F64Ceil,
	F64Floor,
	F64Trunc,
	F64Nearest,
	F64Sqrt,
	F64Add,
	F64Sub,
	F64Mul,
	F64Div,
	F64Min,
	F64Max,
	F64Copysign,
	I32WrapI64,
	I32TruncF32S,
	I32TruncF32U,
	I32TruncF64S,
	I32TruncF64U,
	I64ExtendI32S,
	I64ExtendI32U,
	I64TruncF32S,
	I64TruncF32U,
	I64TruncF64S,
	I64TruncF64U,
	F32ConvertI32S,
	F32ConvertI32U,
	F32ConvertI64S,
	F32ConvertI64U,
	F32DemoteF64,
	F64ConvertI32S,
	F64ConvertI32U,
	F64ConvertI64S,
	F64ConvertI64U,
	F64PromoteF32,
	I32ReinterpretF32,
	I64ReinterpretF64,
	F32ReinterpretI32,
	F64ReinterpretI64,
	I32Extend8S,
	I32Extend16S,
	I64Extend8S,
	I64Extend16S,
	I64Extend32S,
	I32TruncSatF32S,
	I32TruncSatF32U,
	I32TruncSatF64S,
	I32TruncSatF64U,
	I64TruncSatF32S,
	I64TruncSatF32U,
	I64TruncSatF64S,
	I64TruncSatF64U,
	V128Load,
	V128Load8x8S,
	V128Load8x8U,
	V128Load16x4S,
	V128Load16x4U,
	V128Load32x2S,
	V128Load32x2U,
	V128Load8Splat,
	V128Load16Splat,
	V128Load32Splat,
	V128Load64Splat,
	V128Store,
	I8x16Swizzle,
	I8x16Splat,
	I16x8Splat,
	I32x4Splat,
	I64x2Splat,
	F32x4Splat,
	F64x2Splat,
	I8x16ExtractLaneS,
	I8x16ExtractLaneU,
	I8x16ReplaceLane,
	I16x8ExtractLaneS,
	I16x8ExtractLaneU,
	I16x8ReplaceLane,
	I32x4ExtractLane,
	I32x4ReplaceLane,
	I64x2ExtractLane,
	I64x2ReplaceLane,
	F32x4ExtractLane,
	F32x4ReplaceLane,
	F64x2ExtractLane,
	F64x2ReplaceLane,
	I8x16Eq,
	I8x16Ne,
	I8x16LtS,
	I8x16LtU,
	I8x16GtS,
	I8x16GtU,
	I8x16LeS,
	I8x16LeU,
	I8x16GeS,
	I8x16GeU,
	I16x8Eq,
	I16x8Ne,
	I16x8LtS,
	I16x8LtU,
	I16x8GtS,
	I16x8GtU,
	I16x8LeS,
	I16x8LeU,
	I16x8GeS,
	I16x8GeU,
	I32x4Eq,
	I32x4Ne,
	I32x4LtS,
	I32x4LtU,
	I32x4GtS,
	I32x4GtU,
	I32x4LeS,
	I32x4LeU,
	I32x4GeS,
	I32x4GeU,
	F32x4Eq,
	F32x4Ne,
	F32x4Lt,
	F32x4Gt,
	F32x4Le,
	F32x4Ge,
	F64x2Eq,
	F64x2Ne,
	F64x2Lt,
	F64x2Gt,
	F64x2Le,
	F64x2Ge,
	V128Not,
	V128And,
	V128Andnot,
	V128Or,
	V128Xor,
	V128Bitselect,
	V128AnyTrue,
	V128Load8Lane,
	V128Load16Lane,
	V128Load32Lane,
	V128Load64Lane,
	V128Store8Lane,
	V128Store16Lane,
	V128Store32Lane,
	V128Store64Lane,
	V128Load32Zero,
	V128Load64Zero,
	F32x4DemoteF64x2Zero,
	F64x2PromoteLowF32x4,
	I8x16Abs,
	I8x16Neg,
	I8x16Popcnt,
	I8x16AllTrue,
	I8x16Bitmask,
	I8x16NarrowI16x8S,
	I8x16NarrowI16x8U,
	F32x4Ceil,
	F32x4Floor,
	F32x4Trunc,
	F32x4Nearest,
	I8x16Shl,
	I8x16ShrS,
	I8x16ShrU,
	I8x16Add,
	I8x16AddSatS,
	I8x16AddSatU,
	I8x16Sub,
	I8x16SubSatS,
	I8x16SubSatU,
	F64x2Ceil,
	F64x2Floor,
	I8x16MinS,
	I8x16MinU,
	I8x16MaxS,
	I8x16MaxU,
	F64x2Trunc,
	I8x16AvgrU,
	I16x8ExtaddPairwiseI8x16S,
	I16x8ExtaddPairwiseI8x16U,
	I32x4ExtaddPairwiseI16x8S,
	I32x4ExtaddPairwiseI16x8U,
	I16x8Abs,
	I16x8Neg,
	I16x8Q15mulrSatS,
	I16x8AllTrue,
	I16x8Bitmask,
	I16x8NarrowI32x4S,
	I16x8NarrowI32x4U,
	I16x8ExtendLowI8x16S,
	I16x8ExtendHighI8x16S,
	I16x8ExtendLowI8x16U,
	I16x8ExtendHighI8x16U,
	I16x8Shl,
	I16x8ShrS,
	I16x8ShrU,
	I16x8Add,
	I16x8AddSatS,
	I16x8AddSatU,
	I16x8Sub,
	I16x8SubSatS,
	I16x8SubSatU,
	F64x2Nearest,
	I16x8Mul,
	I16x8MinS,
	I16x8MinU,
	I16x8MaxS,
	I16x8MaxU,
	I16x8AvgrU,
	I16x8ExtmulLowI8x16S,
	I16x8ExtmulHighI8x16S,
	I16x8ExtmulLowI8x16U,
	I16x8ExtmulHighI8x16U,
	I32x4Abs,
	I32x4Neg,
	I32x4AllTrue,
	I32x4Bitmask,
	I32x4ExtendLowI16x8S,
	I32x4ExtendHighI16x8S,
	I32x4ExtendLowI16x8U,
	I32x4ExtendHighI16x8U,
	I32x4Shl,
	I32x4ShrS,
	I32x4ShrU,
	I32x4Add,
	I32x4Sub,
	I32x4Mul,
	I32x4MinS,
	I32x4MinU,
	I32x4MaxS,
	I32x4MaxU,
	I32x4DotI16x8S,
	I32x4ExtmulLowI16x8S,
	I32x4ExtmulHighI16x8S,
	I32x4ExtmulLowI16x8U,
	I32x4ExtmulHighI16x8U,
	I64x2Abs,
	I64x2Neg,
	I64x2AllTrue,
	I64x2Bitmask,
	I64x2ExtendLowI32x4S,
	I64x2ExtendHighI32x4S,
	I64x2ExtendLowI32x4U,
	I64x2ExtendHighI32x4U,
	I64x2Shl,
	I64x2ShrS,
	I64x2ShrU,
	I64x2Add,
	I64x2Sub,
	I64x2Mul,
	I64x2Eq,
	I64x2Ne,
	I64x2LtS,
	I64x2GtS,
	I64x2LeS,
	I64x2GeS,
	I64x2ExtmulLowI32x4S,
	I64x2ExtmulHighI32x4S,
	I64x2ExtmulLowI32x4U,
	I64x2ExtmulHighI32x4U,
	F32x4Abs,
	F32x4Neg,
	F32x4Sqrt,
	F32x4Add,
	F32x4Sub,
	F32x4Mul,
	F32x4Div,
	F32x4Min,
	F32x4Max,
	F32x4Pmin,
	F32x4Pmax,
	F64x2Abs,
	F64x2Neg,
	F64x2Sqrt,
	F64x2Add,
	F64x2Sub,
	F64x2Mul,
	F64x2Div,
	F64x2Min,
	F64x2Max,
	F64x2Pmin,
	F64x2Pmax,
	I32x4TruncSatF32x4S,
	I32x4TruncSatF32x4U,
	F32x4ConvertI32x4S,
	F32x4ConvertI32x4U,
	I32x4TruncSatF64x2SZero,
	I32x4TruncSatF64x2UZero,
	F64x2ConvertLowI32x4S,
	F64x2ConvertLowI32x4U,
	I8x16RelaxedSwizzle,
	I32x4RelaxedTruncF32x4S,
	I32x4RelaxedTruncF32x4U,
	I32x4RelaxedTruncF64x2SZero,
	I32x4RelaxedTruncF64x2UZero,
	F32x4RelaxedMadd,
	F32x4RelaxedNmadd,
	F64x2RelaxedMadd,
	F64x2RelaxedNmadd,
	I8x16RelaxedLaneselect,
	I16x8RelaxedLaneselect,
	I32x4RelaxedLaneselect,
	I64x2RelaxedLaneselect,
	F32x4RelaxedMin,
	F32x4RelaxedMax,
	F64x2RelaxedMin,
	F64x2RelaxedMax,
	I16x8RelaxedQ15mulrS,
	I16x8RelaxedDotI8x16I7x16S,
	I32x4RelaxedDotI8x16I7x16AddS,
	MemoryAtomicNotify,
	MemoryAtomicWait32,
	MemoryAtomicWait64,
	I32AtomicLoad,
	I64AtomicLoad,
	I32AtomicLoad8U,
	I32AtomicLoad16U,
	I64AtomicLoad8U,
	I64AtomicLoad16U,
	I64AtomicLoad32U,
	I32AtomicStore,
	I64AtomicStore,
	I32AtomicStore8,
	I32AtomicStore16,
	I64AtomicStore8,
	I64AtomicStore16,
	I64AtomicStore32,
	I32AtomicRmwAdd,
	I64AtomicRmwAdd,
	I32AtomicRmw8AddU,
	I32AtomicRmw16AddU,
	I64AtomicRmw8AddU,
	I64AtomicRmw16AddU,
	I64AtomicRmw32AddU,
	I32AtomicRmwSub,
	I64AtomicRmwSub,
	I32AtomicRmw8SubU,
	I32AtomicRmw16SubU,
	I64AtomicRmw8SubU,
	I64AtomicRmw16SubU,
	I64AtomicRmw32SubU,
	I32AtomicRmwAnd,
	I64AtomicRmwAnd,
	I32AtomicRmw8AndU,
	I32AtomicRmw16AndU,
	I64AtomicRmw8AndU,
	I64AtomicRmw16AndU,
	I64AtomicRmw32AndU,
	I32AtomicRmwOr,
	I64AtomicRmwOr,
	I32AtomicRmw8OrU,
	I32AtomicRmw16OrU,
	I64AtomicRmw8OrU,
	I64AtomicRmw16OrU,
	I64AtomicRmw32OrU,
	I32AtomicRmwXor,
	I64AtomicRmwXor,
	I32AtomicRmw8XorU,
	I32AtomicRmw16XorU,
	I64AtomicRmw8XorU,
	I64AtomicRmw16XorU,
	I64AtomicRmw32XorU,
	I32AtomicRmwXchg,
	I64AtomicRmwXchg,
	I32AtomicRmw8XchgU,
	I32AtomicRmw16XchgU,
	I64AtomicRmw8XchgU,
	I64AtomicRmw16XchgU,
	I64AtomicRmw32XchgU,
	I32AtomicRmwCmpxchg,
	I64AtomicRmwCmpxchg,
	I32AtomicRmw8CmpxchgU,
	I32AtomicRmw16CmpxchgU,
	I64AtomicRmw8CmpxchgU,
	I64AtomicRmw16CmpxchgU,
	I64AtomicRmw32CmpxchgU,
}

var opTable = map[Op]opInfo{
	I32Load:                       {name: "i32.load", operands: "i", results: "i", imm: immMem, align: 2},
	I64Load:                       {name: "i64.load", operands: "i", results: "I", imm: immMem, align: 3},
	F32Load:                       {name: "f32.load", operands: "i", results: "f", imm: immMem, align: 2},
	F64Load:                       {name: "f64.load", operands: "i", results: "d", imm: immMem, align: 3},
	I32Load8S:                     {name: "i32.load8_s", operands: "i", results: "i", imm: immMem, align: 0},
	I32Load8U:                     {name: "i32.load8_u", operands: "i", results: "i", imm: immMem, align: 0},
	I32Load16S:                    {name: "i32.load16_s", operands: "i", results: "i", imm: immMem, align: 1},
	I32Load16U:                    {name: "i32.load16_u", operands: "i", results: "i", imm: immMem, align: 1},
	I64Load8S:                     {name: "i64.load8_s", operands: "i", results: "I", imm: immMem, align: 0},
	I64Load8U:                     {name: "i64.load8_u", operands: "i", results: "I", imm: immMem, align: 0},
	I64Load16S:                    {name: "i64.load16_s", operands: "i", results: "I", imm: immMem, align: 1},
	I64Load16U:                    {name: "i64.load16_u", operands: "i", results: "I", imm: immMem, align: 1},
	I64Load32S:                    {name: "i64.load32_s", operands: "i", results: "I", imm: immMem, align: 2},
	I64Load32U:                    {name: "i64.load32_u", operands: "i", results: "I", imm: immMem, align: 2},
	I32Store:                      {name: "i32.store", operands: "ii", results: "", imm: immMem, align: 2},
	I64Store:                      {name: "i64.store", operands: "iI", results: "", imm: immMem, align: 3},
	F32Store:                      {name: "f32.store", operands: "if", results: "", imm: immMem, align: 2},
	F64Store:                      {name: "f64.store", operands: "id", results: "", imm: immMem, align: 3},
	I32Store8:                     {name: "i32.store8", operands: "ii", results: "", imm: immMem, align: 0},
	I32Store16:                    {name: "i32.store16", operands: "ii", results: "", imm: immMem, align: 1},
	I64Store8:                     {name: "i64.store8", operands: "iI", results: "", imm: immMem, align: 0},
	I64Store16:                    {name: "i64.store16", operands: "iI", results: "", imm: immMem, align: 1},
	I64Store32:                    {name: "i64.store32", operands: "iI", results: "", imm: immMem, align: 2},
	I32Eqz:                        {name: "i32.eqz", operands: "i", results: "i"},
	I32Eq:                         {name: "i32.eq", operands: "ii", results: "i"},
	I32Ne:                         {name: "i32.ne", operands: "ii", results: "i"},
	I32LtS:                        {name: "i32.lt_s", operands: "ii", results: "i"},
	I32LtU:                        {name: "i32.lt_u", operands: "ii", results: "i"},
	I32GtS:                        {name: "i32.gt_s", operands: "ii", results: "i"},
	I32GtU:                        {name: "i32.gt_u", operands: "ii", results: "i"},
	I32LeS:                        {name: "i32.le_s", operands: "ii", results: "i"},
	I32LeU:                        {name: "i32.le_u", operands: "ii", results: "i"},
	I32GeS:                        {name: "i32.ge_s", operands: "ii", results: "i"},
	I32GeU:                        {name: "i32.ge_u", operands: "ii", results: "i"},
	I64Eqz:                        {name: "i64.eqz", operands: "I", results: "i"},
	I64Eq:                         {name: "i64.eq", operands: "II", results: "i"},
	I64Ne:                         {name: "i64.ne", operands: "II", results: "i"},
	I64LtS:                        {name: "i64.lt_s", operands: "II", results: "i"},
	I64LtU:                        {name: "i64.lt_u", operands: "II", results: "i"},
	I64GtS:                        {name: "i64.gt_s", operands: "II", results: "i"},
	I64GtU:                        {name: "i64.gt_u", operands: "II", results: "i"},
	I64LeS:                        {name: "i64.le_s", operands: "II", results: "i"},
	I64LeU:                        {name: "i64.le_u", operands: "II", results: "i"},
	I64GeS:                        {name: "i64.ge_s", operands: "II", results: "i"},
	I64GeU:                        {name: "i64.ge_u", operands: "II", results: "i"},
	F32Eq:                         {name: "f32.eq", operands: "ff", results: "i"},
	F32Ne:                         {name: "f32.ne", operands: "ff", results: "i"},
	F32Lt:                         {name: "f32.lt", operands: "ff", results: "i"},
	F32Gt:                         {name: "f32.gt", operands: "ff", results: "i"},
	F32Le:                         {name: "f32.le", operands: "ff", results: "i"},
	F32Ge:                         {name: "f32.ge", operands: "ff", results: "i"},
	F64Eq:                         {name: "f64.eq", operands: "dd", results: "i"},
	F64Ne:                         {name: "f64.ne", operands: "dd", results: "i"},
	F64Lt:                         {name: "f64.lt", operands: "dd", results: "i"},
	F64Gt:                         {name: "f64.gt", operands: "dd", results: "i"},
	F64Le:                         {name: "f64.le", operands: "dd", results: "i"},
	F64Ge:                         {name: "f64.ge", operands: "dd", results: "i"},
	I32Clz:                        {name: "i32.clz", operands: "i", results: "i"},
	I32Ctz:                        {name: "i32.ctz", operands: "i", results: "i"},
	I32Popcnt:                     {name: "i32.popcnt", operands: "i", results: "i"},
	I32Add:                        {name: "i32.add", operands: "ii", results: "i"},
	I32Sub:                        {name: "i32.sub", operands: "ii", results: "i"},
	I32Mul:                        {name: "i32.mul", operands: "ii", results: "i"},
	I32DivS:                       {name: "i32.div_s", operands: "ii", results: "i"},
	I32DivU:                       {name: "i32.div_u", operands: "ii", results: "i"},
	I32RemS:                       {name: "i32.rem_s", operands: "ii", results: "i"},
	I32RemU:                       {name: "i32.rem_u", operands: "ii", results: "i"},
	I32And:                        {name: "i32.and", operands: "ii", results: "i"},
	I32Or:                         {name: "i32.or", operands: "ii", results: "i"},
	I32Xor:                        {name: "i32.xor", operands: "ii", results: "i"},
	I32Shl:                        {name: "i32.shl", operands: "ii", results: "i"},
	I32ShrS:                       {name: "i32.shr_s", operands: "ii", results: "i"},
	I32ShrU:                       {name: "i32.shr_u", operands: "ii", results: "i"},
	I32Rotl:                       {name: "i32.rotl", operands: "ii", results: "i"},
	I32Rotr:                       {name: "i32.rotr", operands: "ii", results: "i"},
	I64Clz:                        {name: "i64.clz", operands: "I", results: "I"},
	I64Ctz:                        {name: "i64.ctz", operands: "I", results: "I"},
	I64Popcnt:                     {name: "i64.popcnt", operands: "I", results: "I"},
	I64Add:                        {name: "i64.add", operands: "II", results: "I"},
	I64Sub:                        {name: "i64.sub", operands: "II", results: "I"},
	I64Mul:                        {name: "i64.mul", operands: "II", results: "I"},
	I64DivS:                       {name: "i64.div_s", operands: "II", results: "I"},
	I64DivU:                       {name: "i64.div_u", operands: "II", results: "I"},
	I64RemS:                       {name: "i64.rem_s", operands: "II", results: "I"},
	I64RemU:                       {name: "i64.rem_u", operands: "II", results: "I"},
	I64And:                        {name: "i64.and", operands: "II", results: "I"},
	I64Or:                         {name: "i64.or", operands: "II", results: "I"},
	I64Xor:                        {name: "i64.xor", operands: "II", results: "I"},
	I64Shl:                        {name: "i64.shl", operands: "II", results: "I"},
	I64ShrS:                       {name: "i64.shr_s", operands: "II", results: "I"},
	I64ShrU:                       {name: "i64.shr_u", operands: "II", results: "I"},
	I64Rotl:                       {name: "i64.rotl", operands: "II", results: "I"},
	I64Rotr:                       {name: "i64.rotr", operands: "II", results: "I"},
	F32Abs:                        {name: "f32.abs", operands: "f", results: "f"},
	F32Neg:                        {name: "f32.neg", operands: "f", results: "f"},
	F32Ceil:                       {name: "f32.ceil", operands: "f", results: "f"},
	F32Floor:                      {name: "f32.floor", operands: "f", results: "f"},
	F32Trunc:                      {name: "f32.trunc", operands: "f", results: "f"},
	F32Nearest:                    {name: "f32.nearest", operands: "f", results: "f"},
	F32Sqrt:                       {name: "f32.sqrt", operands: "f", results: "f"},
	F32Add:                        {name: "f32.add", operands: "ff", results: "f"},
	F32Sub:                        {name: "f32.sub", operands: "ff", results: "f"},
	F32Mul:                        {name: "f32.mul", operands: "ff", results: "f"},
	F32Div:                        {name: "f32.div", operands: "ff", results: "f"},
	F32Min:                        {name: "f32.min", operands: "ff", results: "f"},
	F32Max:                        {name: "f32.max", operands: "ff", results: "f"},
	F32Copysign:                   {name: "f32.copysign", operands: "ff", results: "f"},
	F64Abs:                        {name: "f64.abs", operands: "d", results: "d"},
	F64Neg:                        {name: "f64.neg", operands: "d", results: "d"},
	F64Ceil:                       {name: "f64.ceil", operands: "d", results: "d"},
	F64Floor:                      {name: "f64.floor", operands: "d", results: "d"},
	F64Trunc:                      {name: "f64.trunc", operands: "d", results: "d"},
	F64Nearest:                    {name: "f64.nearest", operands: "d", results: "d"},
	F64Sqrt:                       {name: "f64.sqrt", operands: "d", results: "d"},
	F64Add:                        {name: "f64.add", operands: "dd", results: "d"},
	F64Sub:                        {name: "f64.sub", operands: "dd", results: "d"},
	F64Mul:                        {name: "f64.mul", operands: "dd", results: "d"},
	F64Div:                        {name: "f64.div", operands: "dd", results: "d"},
	F64Min:                        {name: "f64.min", operands: "dd", results: "d"},
	F64Max:                        {name: "f64.max", operands: "dd", results: "d"},
	F64Copysign:                   {name: "f64.copysign", operands: "dd", results: "d"},
	I32WrapI64:                    {name: "i32.wrap_i64", operands: "I", results: "i"},
	I32TruncF32S:                  {name: "i32.trunc_f32_s", operands: "f", results: "i"},
	I32TruncF32U:                  {name: "i32.trunc_f32_u", operands: "f", results: "i"},
	I32TruncF64S:                  {name: "i32.trunc_f64_s", operands: "d", results: "i"},
	I32TruncF64U:                  {name: "i32.trunc_f64_u", operands: "d", results: "i"},
	I64ExtendI32S:                 {name: "i64.extend_i32_s", operands: "i", results: "I"},
	I64ExtendI32U:                 {name: "i64.extend_i32_u", operands: "i", results: "I"},
	I64TruncF32S:                  {name: "i64.trunc_f32_s", operands: "f", results: "I"},
	I64TruncF32U:                  {name: "i64.trunc_f32_u", operands: "f", results: "I"},
	I64TruncF64S:                  {name: "i64.trunc_f64_s", operands: "d", results: "I"},
	I64TruncF64U:                  {name: "i64.trunc_f64_u", operands: "d", results: "I"},
	F32ConvertI32S:                {name: "f32.convert_i32_s", operands: "i", results: "f"},
	F32ConvertI32U:                {name: "f32.convert_i32_u", operands: "i", results: "f"},
	F32ConvertI64S:                {name: "f32.convert_i64_s", operands: "I", results: "f"},
	F32ConvertI64U:                {name: "f32.convert_i64_u", operands: "I", results: "f"},
	F32DemoteF64:                  {name: "f32.demote_f64", operands: "d", results: "f"},
	F64ConvertI32S:                {name: "f64.convert_i32_s", operands: "i", results: "d"},
	F64ConvertI32U:                {name: "f64.convert_i32_u", operands: "i", results: "d"},
	F64ConvertI64S:                {name: "f64.convert_i64_s", operands: "I", results: "d"},
	F64ConvertI64U:                {name: "f64.convert_i64_u", operands: "I", results: "d"},
	F64PromoteF32:                 {name: "f64.promote_f32", operands: "f", results: "d"},
	I32ReinterpretF32:             {name: "i32.reinterpret_f32", operands: "f", results: "i"},
	I64ReinterpretF64:             {name: "i64.reinterpret_f64", operands: "d", results: "I"},
	F32ReinterpretI32:             {name: "f32.reinterpret_i32", operands: "i", results: "f"},
	F64ReinterpretI64:             {name: "f64.reinterpret_i64", operands: "I", results: "d"},
	I32Extend8S:                   {name: "i32.extend8_s", operands: "i", results: "i"},
	I32Extend16S:                  {name: "i32.extend16_s", operands: "i", results: "i"},
	I64Extend8S:                   {name: "i64.extend8_s", operands: "I", results: "I"},
	I64Extend16S:                  {name: "i64.extend16_s", operands: "I", results: "I"},
	I64Extend32S:                  {name: "i64.extend32_s", operands: "I", results: "I"},
	I32TruncSatF32S:               {name: "i32.trunc_sat_f32_s", operands: "f", results: "i"},
	I32TruncSatF32U:               {name: "i32.trunc_sat_f32_u", operands: "f", results: "i"},
	I32TruncSatF64S:               {name: "i32.trunc_sat_f64_s", operands: "d", results: "i"},
	I32TruncSatF64U:               {name: "i32.trunc_sat_f64_u", operands: "d", results: "i"},
	I64TruncSatF32S:               {name: "i64.trunc_sat_f32_s", operands: "f", results: "I"},
	I64TruncSatF32U:               {name: "i64.trunc_sat_f32_u", operands: "f", results: "I"},
	I64TruncSatF64S:               {name: "i64.trunc_sat_f64_s", operands: "d", results: "I"},
	I64TruncSatF64U:               {name: "i64.trunc_sat_f64_u", operands: "d", results: "I"},
	V128Load:                      {name: "v128.load", operands: "i", results: "v", imm: immMem, align: 4},
	V128Load8x8S:                  {name: "v128.load8x8_s", operands: "i", results: "v", imm: immMem, align: 3},
	V128Load8x8U:                  {name: "v128.load8x8_u", operands: "i", results: "v", imm: immMem, align: 3},
	V128Load16x4S:                 {name: "v128.load16x4_s", operands: "i", results: "v", imm: immMem, align: 3},
	V128Load16x4U:                 {name: "v128.load16x4_u", operands: "i", results: "v", imm: immMem, align: 3},
	V128Load32x2S:                 {name: "v128.load32x2_s", operands: "i", results: "v", imm: immMem, align: 3},
	V128Load32x2U:                 {name: "v128.load32x2_u", operands: "i", results: "v", imm: immMem, align: 3},
	V128Load8Splat:                {name: "v128.load8_splat", operands: "i", results: "v", imm: immMem, align: 0},
	V128Load16Splat:               {name: "v128.load16_splat", operands: "i", results: "v", imm: immMem, align: 1},
	V128Load32Splat:               {name: "v128.load32_splat", operands: "i", results: "v", imm: immMem, align: 2},
	V128Load64Splat:               {name: "v128.load64_splat", operands: "i", results: "v", imm: immMem, align: 3},
	V128Store:                     {name: "v128.store", operands: "iv", results: "", imm: immMem, align: 4},
	I8x16Swizzle:                  {name: "i8x16.swizzle", operands: "vv", results: "v"},
	I8x16Splat:                    {name: "i8x16.splat", operands: "i", results: "v"},
	I16x8Splat:                    {name: "i16x8.splat", operands: "i", results: "v"},
	I32x4Splat:                    {name: "i32x4.splat", operands: "i", results: "v"},
	I64x2Splat:                    {name: "i64x2.splat", operands: "I", results: "v"},
	F32x4Splat:                    {name: "f32x4.splat", operands: "f", results: "v"},
	F64x2Splat:                    {name: "f64x2.splat", operands: "d", results: "v"},
	I8x16ExtractLaneS:             {name: "i8x16.extract_lane_s", operands: "v", results: "i", imm: immLane, lanes: 16},
	I8x16ExtractLaneU:             {name: "i8x16.extract_lane_u", operands: "v", results: "i", imm: immLane, lanes: 16},
	I8x16ReplaceLane:              {name: "i8x16.replace_lane", operands: "vi", results: "v", imm: immLane, lanes: 16},
	I16x8ExtractLaneS:             {name: "i16x8.extract_lane_s", operands: "v", results: "i", imm: immLane, lanes: 8},
	I16x8ExtractLaneU:             {name: "i16x8.extract_lane_u", operands: "v", results: "i", imm: immLane, lanes: 8},
	I16x8ReplaceLane:              {name: "i16x8.replace_lane", operands: "vi", results: "v", imm: immLane, lanes: 8},
	I32x4ExtractLane:              {name: "i32x4.extract_lane", operands: "v", results: "i", imm: immLane, lanes: 4},
	I32x4ReplaceLane:              {name: "i32x4.replace_lane", operands: "vi", results: "v", imm: immLane, lanes: 4},
	I64x2ExtractLane:              {name: "i64x2.extract_lane", operands: "v", results: "I", imm: immLane, lanes: 2},
	I64x2ReplaceLane:              {name: "i64x2.replace_lane", operands: "vI", results: "v", imm: immLane, lanes: 2},
	F32x4ExtractLane:              {name: "f32x4.extract_lane", operands: "v", results: "f", imm: immLane, lanes: 4},
	F32x4ReplaceLane:              {name: "f32x4.replace_lane", operands: "vf", results: "v", imm: immLane, lanes: 4},
	F64x2ExtractLane:              {name: "f64x2.extract_lane", operands: "v", results: "d", imm: immLane, lanes: 2},
	F64x2ReplaceLane:              {name: "f64x2.replace_lane", operands: "vd", results: "v", imm: immLane, lanes: 2},
	I8x16Eq:                       {name: "i8x16.eq", operands: "vv", results: "v"},
	I8x16Ne:                       {name: "i8x16.ne", operands: "vv", results: "v"},
	I8x16LtS:                      {name: "i8x16.lt_s", operands: "vv", results: "v"},
	I8x16LtU:                      {name: "i8x16.lt_u", operands: "vv", results: "v"},
	I8x16GtS:                      {name: "i8x16.gt_s", operands: "vv", results: "v"},
	I8x16GtU:                      {name: "i8x16.gt_u", operands: "vv", results: "v"},
	I8x16LeS:                      {name: "i8x16.le_s", operands: "vv", results: "v"},
	I8x16LeU:                      {name: "i8x16.le_u", operands: "vv", results: "v"},
	I8x16GeS:                      {name: "i8x16.ge_s", operands: "vv", results: "v"},
	I8x16GeU:                      {name: "i8x16.ge_u", operands: "vv", results: "v"},
	I16x8Eq:                       {name: "i16x8.eq", operands: "vv", results: "v"},
	I16x8Ne:                       {name: "i16x8.ne", operands: "vv", results: "v"},
	I16x8LtS:                      {name: "i16x8.lt_s", operands: "vv", results: "v"},
	I16x8LtU:                      {name: "i16x8.lt_u", operands: "vv", results: "v"},
	I16x8GtS:                      {name: "i16x8.gt_s", operands: "vv", results: "v"},
	I16x8GtU:                      {name: "i16x8.gt_u", operands: "vv", results: "v"},
	I16x8LeS:                      {name: "i16x8.le_s", operands: "vv", results: "v"},
	I16x8LeU:                      {name: "i16x8.le_u", operands: "vv", results: "v"},
	I16x8GeS:                      {name: "i16x8.ge_s", operands: "vv", results: "v"},
	I16x8GeU:                      {name: "i16x8.ge_u", operands: "vv", results: "v"},
	I32x4Eq:                       {name: "i32x4.eq", operands: "vv", results: "v"},
	I32x4Ne:                       {name: "i32x4.ne", operands: "vv", results: "v"},
	I32x4LtS:                      {name: "i32x4.lt_s", operands: "vv", results: "v"},
	I32x4LtU:                      {name: "i32x4.lt_u", operands: "vv", results: "v"},
	I32x4GtS:                      {name: "i32x4.gt_s", operands: "vv", results: "v"},
	I32x4GtU:                      {name: "i32x4.gt_u", operands: "vv", results: "v"},
	I32x4LeS:                      {name: "i32x4.le_s", operands: "vv", results: "v"},
	I32x4LeU:                      {name: "i32x4.le_u", operands: "vv", results: "v"},
	I32x4GeS:                      {name: "i32x4.ge_s", operands: "vv", results: "v"},
	I32x4GeU:                      {name: "i32x4.ge_u", operands: "vv", results: "v"},
	F32x4Eq:                       {name: "f32x4.eq", operands: "vv", results: "v"},
	F32x4Ne:                       {name: "f32x4.ne", operands: "vv", results: "v"},
	F32x4Lt:                       {name: "f32x4.lt", operands: "vv", results: "v"},
	F32x4Gt:                       {name: "f32x4.gt", operands: "vv", results: "v"},
	F32x4Le:                       {name: "f32x4.le", operands: "vv", results: "v"},
	F32x4Ge:                       {name: "f32x4.ge", operands: "vv", results: "v"},
	F64x2Eq:                       {name: "f64x2.eq", operands: "vv", results: "v"},
	F64x2Ne:                       {name: "f64x2.ne", operands: "vv", results: "v"},
	F64x2Lt:                       {name: "f64x2.lt", operands: "vv", results: "v"},
	F64x2Gt:                       {name: "f64x2.gt", operands: "vv", results: "v"},
	F64x2Le:                       {name: "f64x2.le", operands: "vv", results: "v"},
	F64x2Ge:                       {name: "f64x2.ge", operands: "vv", results: "v"},
	V128Not:                       {name: "v128.not", operands: "v", results: "v"},
	V128And:                       {name: "v128.and", operands: "vv", results: "v"},
	V128Andnot:                    {name: "v128.andnot", operands: "vv", results: "v"},
	V128Or:                        {name: "v128.or", operands: "vv", results: "v"},
	V128Xor:                       {name: "v128.xor", operands: "vv", results: "v"},
	V128Bitselect:                 {name: "v128.bitselect", operands: "vvv", results: "v"},
	V128AnyTrue:                   {name: "v128.any_true", operands: "v", results: "i"},
	V128Load8Lane:                 {name: "v128.load8_lane", operands: "iv", results: "v", imm: immMem | immLane, align: 0, lanes: 16},
	V128Load16Lane:                {name: "v128.load16_lane", operands: "iv", results: "v", imm: immMem | immLane, align: 1, lanes: 8},
	V128Load32Lane:                {name: "v128.load32_lane", operands: "iv", results: "v", imm: immMem | immLane, align: 2, lanes: 4},
	V128Load64Lane:                {name: "v128.load64_lane", operands: "iv", results: "v", imm: immMem | immLane, align: 3, lanes: 2},
	V128Store8Lane:                {name: "v128.store8_lane", operands: "iv", results: "", imm: immMem | immLane, align: 0, lanes: 16},
	V128Store16Lane:               {name: "v128.store16_lane", operands: "iv", results: "", imm: immMem | immLane, align: 1, lanes: 8},
	V128Store32Lane:               {name: "v128.store32_lane", operands: "iv", results: "", imm: immMem | immLane, align: 2, lanes: 4},
	V128Store64Lane:               {name: "v128.store64_lane", operands: "iv", results: "", imm: immMem | immLane, align: 3, lanes: 2},
	V128Load32Zero:                {name: "v128.load32_zero", operands: "i", results: "v", imm: immMem, align: 2},
	V128Load64Zero:                {name: "v128.load64_zero", operands: "i", results: "v", imm: immMem, align: 3},
	F32x4DemoteF64x2Zero:          {name: "f32x4.demote_f64x2_zero", operands: "v", results: "v"},
	F64x2PromoteLowF32x4:          {name: "f64x2.promote_low_f32x4", operands: "v", results: "v"},
	I8x16Abs:                      {name: "i8x16.abs", operands: "v", results: "v"},
	I8x16Neg:                      {name: "i8x16.neg", operands: "v", results: "v"},
	I8x16Popcnt:                   {name: "i8x16.popcnt", operands: "v", results: "v"},
	I8x16AllTrue:                  {name: "i8x16.all_true", operands: "v", results: "i"},
	I8x16Bitmask:                  {name: "i8x16.bitmask", operands: "v", results: "i"},
	I8x16NarrowI16x8S:             {name: "i8x16.narrow_i16x8_s", operands: "vv", results: "v"},
	I8x16NarrowI16x8U:             {name: "i8x16.narrow_i16x8_u", operands: "vv", results: "v"},
	F32x4Ceil:                     {name: "f32x4.ceil", operands: "v", results: "v"},
	F32x4Floor:                    {name: "f32x4.floor", operands: "v", results: "v"},
	F32x4Trunc:                    {name: "f32x4.trunc", operands: "v", results: "v"},
	F32x4Nearest:                  {name: "f32x4.nearest", operands: "v", results: "v"},
	I8x16Shl:                      {name: "i8x16.shl", operands: "vi", results: "v"},
	I8x16ShrS:                     {name: "i8x16.shr_s", operands: "vi", results: "v"},
	I8x16ShrU:                     {name: "i8x16.shr_u", operands: "vi", results: "v"},
	I8x16Add:                      {name: "i8x16.add", operands: "vv", results: "v"},
	I8x16AddSatS:                  {name: "i8x16.add_sat_s", operands: "vv", results: "v"},
	I8x16AddSatU:                  {name: "i8x16.add_sat_u", operands: "vv", results: "v"},
	I8x16Sub:                      {name: "i8x16.sub", operands: "vv", results: "v"},
	I8x16SubSatS:                  {name: "i8x16.sub_sat_s", operands: "vv", results: "v"},
	I8x16SubSatU:                  {name: "i8x16.sub_sat_u", operands: "vv", results: "v"},
	F64x2Ceil:                     {name: "f64x2.ceil", operands: "v", results: "v"},
	F64x2Floor:                    {name: "f64x2.floor", operands: "v", results: "v"},
	I8x16MinS:                     {name: "i8x16.min_s", operands: "vv", results: "v"},
	I8x16MinU:                     {name: "i8x16.min_u", operands: "vv", results: "v"},
	I8x16MaxS:                     {name: "i8x16.max_s", operands: "vv", results: "v"},
	I8x16MaxU:                     {name: "i8x16.max_u", operands: "vv", results: "v"},
	F64x2Trunc:                    {name: "f64x2.trunc", operands: "v", results: "v"},
	I8x16AvgrU:                    {name: "i8x16.avgr_u", operands: "vv", results: "v"},
	I16x8ExtaddPairwiseI8x16S:     {name: "i16x8.extadd_pairwise_i8x16_s", operands: "v", results: "v"},
	I16x8ExtaddPairwiseI8x16U:     {name: "i16x8.extadd_pairwise_i8x16_u", operands: "v", results: "v"},
	I32x4ExtaddPairwiseI16x8S:     {name: "i32x4.extadd_pairwise_i16x8_s", operands: "v", results: "v"},
	I32x4ExtaddPairwiseI16x8U:     {name: "i32x4.extadd_pairwise_i16x8_u", operands: "v", results: "v"},
	I16x8Abs:                      {name: "i16x8.abs", operands: "v", results: "v"},
	I16x8Neg:                      {name: "i16x8.neg", operands: "v", results: "v"},
	I16x8Q15mulrSatS:              {name: "i16x8.q15mulr_sat_s", operands: "vv", results: "v"},
	I16x8AllTrue:                  {name: "i16x8.all_true", operands: "v", results: "i"},
	I16x8Bitmask:                  {name: "i16x8.bitmask", operands: "v", results: "i"},
	I16x8NarrowI32x4S:             {name: "i16x8.narrow_i32x4_s", operands: "vv", results: "v"},
	I16x8NarrowI32x4U:             {name: "i16x8.narrow_i32x4_u", operands: "vv", results: "v"},
	I16x8ExtendLowI8x16S:          {name: "i16x8.extend_low_i8x16_s", operands: "v", results: "v"},
	I16x8ExtendHighI8x16S:         {name: "i16x8.extend_high_i8x16_s", operands: "v", results: "v"},
	I16x8ExtendLowI8x16U:          {name: "i16x8.extend_low_i8x16_u", operands: "v", results: "v"},
	I16x8ExtendHighI8x16U:         {name: "i16x8.extend_high_i8x16_u", operands: "v", results: "v"},
	I16x8Shl:                      {name: "i16x8.shl", operands: "vi", results: "v"},
	I16x8ShrS:                     {name: "i16x8.shr_s", operands: "vi", results: "v"},
	I16x8ShrU:                     {name: "i16x8.shr_u", operands: "vi", results: "v"},
	I16x8Add:                      {name: "i16x8.add", operands: "vv", results: "v"},
	I16x8AddSatS:                  {name: "i16x8.add_sat_s", operands: "vv", results: "v"},
	I16x8AddSatU:                  {name: "i16x8.add_sat_u", operands: "vv", results: "v"},
	I16x8Sub:                      {name: "i16x8.sub", operands: "vv", results: "v"},
	I16x8SubSatS:                  {name: "i16x8.sub_sat_s", operands: "vv", results: "v"},
	I16x8SubSatU:                  {name: "i16x8.sub_sat_u", operands: "vv", results: "v"},
	F64x2Nearest:                  {name: "f64x2.nearest", operands: "v", results: "v"},
	I16x8Mul:                      {name: "i16x8.mul", operands: "vv", results: "v"},
	I16x8MinS:                     {name: "i16x8.min_s", operands: "vv", results: "v"},
	I16x8MinU:                     {name: "i16x8.min_u", operands: "vv", results: "v"},
	I16x8MaxS:                     {name: "i16x8.max_s", operands: "vv", results: "v"},
	I16x8MaxU:                     {name: "i16x8.max_u", operands: "vv", results: "v"},
	I16x8AvgrU:                    {name: "i16x8.avgr_u", operands: "vv", results: "v"},
	I16x8ExtmulLowI8x16S:          {name: "i16x8.extmul_low_i8x16_s", operands: "vv", results: "v"},
	I16x8ExtmulHighI8x16S:         {name: "i16x8.extmul_high_i8x16_s", operands: "vv", results: "v"},
	I16x8ExtmulLowI8x16U:          {name: "i16x8.extmul_low_i8x16_u", operands: "vv", results: "v"},
	I16x8ExtmulHighI8x16U:         {name: "i16x8.extmul_high_i8x16_u", operands: "vv", results: "v"},
	I32x4Abs:                      {name: "i32x4.abs", operands: "v", results: "v"},
	I32x4Neg:                      {name: "i32x4.neg", operands: "v", results: "v"},
	I32x4AllTrue:                  {name: "i32x4.all_true", operands: "v", results: "i"},
	I32x4Bitmask:                  {name: "i32x4.bitmask", operands: "v", results: "i"},
	I32x4ExtendLowI16x8S:          {name: "i32x4.extend_low_i16x8_s", operands: "v", results: "v"},
	I32x4ExtendHighI16x8S:         {name: "i32x4.extend_high_i16x8_s", operands: "v", results: "v"},
	I32x4ExtendLowI16x8U:          {name: "i32x4.extend_low_i16x8_u", operands: "v", results: "v"},
	I32x4ExtendHighI16x8U:         {name: "i32x4.extend_high_i16x8_u", operands: "v", results: "v"},
	I32x4Shl:                      {name: "i32x4.shl", operands: "vi", results: "v"},
	I32x4ShrS:                     {name: "i32x4.shr_s", operands: "vi", results: "v"},
	I32x4ShrU:                     {name: "i32x4.shr_u", operands: "vi", results: "v"},
	I32x4Add:                      {name: "i32x4.add", operands: "vv", results: "v"},
	I32x4Sub:                      {name: "i32x4.sub", operands: "vv", results: "v"},
	I32x4Mul:                      {name: "i32x4.mul", operands: "vv", results: "v"},
	I32x4MinS:                     {name: "i32x4.min_s", operands: "vv", results: "v"},
	I32x4MinU:                     {name: "i32x4.min_u", operands: "vv", results: "v"},
	I32x4MaxS:                     {name: "i32x4.max_s", operands: "vv", results: "v"},
	I32x4MaxU:                     {name: "i32x4.max_u", operands: "vv", results: "v"},
	I32x4DotI16x8S:                {name: "i32x4.dot_i16x8_s", operands: "vv", results: "v"},
	I32x4ExtmulLowI16x8S:          {name: "i32x4.extmul_low_i16x8_s", operands: "vv", results: "v"},
	I32x4ExtmulHighI16x8S:         {name: "i32x4.extmul_high_i16x8_s", operands: "vv", results: "v"},
	I32x4ExtmulLowI16x8U:          {name: "i32x4.extmul_low_i16x8_u", operands: "vv", results: "v"},
	I32x4ExtmulHighI16x8U:         {name: "i32x4.extmul_high_i16x8_u", operands: "vv", results: "v"},
	I64x2Abs:                      {name: "i64x2.abs", operands: "v", results: "v"},
	I64x2Neg:                      {name: "i64x2.neg", operands: "v", results: "v"},
	I64x2AllTrue:                  {name: "i64x2.all_true", operands: "v", results: "i"},
	I64x2Bitmask:                  {name: "i64x2.bitmask", operands: "v", results: "i"},
	I64x2ExtendLowI32x4S:          {name: "i64x2.extend_low_i32x4_s", operands: "v", results: "v"},
	I64x2ExtendHighI32x4S:         {name: "i64x2.extend_high_i32x4_s", operands: "v", results: "v"},
	I64x2ExtendLowI32x4U:          {name: "i64x2.extend_low_i32x4_u", operands: "v", results: "v"},
	I64x2ExtendHighI32x4U:         {name: "i64x2.extend_high_i32x4_u", operands: "v", results: "v"},
	I64x2Shl:                      {name: "i64x2.shl", operands: "vi", results: "v"},
	I64x2ShrS:                     {name: "i64x2.shr_s", operands: "vi", results: "v"},
	I64x2ShrU:                     {name: "i64x2.shr_u", operands: "vi", results: "v"},
	I64x2Add:                      {name: "i64x2.add", operands: "vv", results: "v"},
	I64x2Sub:                      {name: "i64x2.sub", operands: "vv", results: "v"},
	I64x2Mul:                      {name: "i64x2.mul", operands: "vv", results: "v"},
	I64x2Eq:                       {name: "i64x2.eq", operands: "vv", results: "v"},
	I64x2Ne:                       {name: "i64x2.ne", operands: "vv", results: "v"},
	I64x2LtS:                      {name: "i64x2.lt_s", operands: "vv", results: "v"},
	I64x2GtS:                      {name: "i64x2.gt_s", operands: "vv", results: "v"},
	I64x2LeS:                      {name: "i64x2.le_s", operands: "vv", results: "v"},
	I64x2GeS:                      {name: "i64x2.ge_s", operands: "vv", results: "v"},
	I64x2ExtmulLowI32x4S:          {name: "i64x2.extmul_low_i32x4_s", operands: "vv", results: "v"},
	I64x2ExtmulHighI32x4S:         {name: "i64x2.extmul_high_i32x4_s", operands: "vv", results: "v"},
	I64x2ExtmulLowI32x4U:          {name: "i64x2.extmul_low_i32x4_u", operands: "vv", results: "v"},
	I64x2ExtmulHighI32x4U:         {name: "i64x2.extmul_high_i32x4_u", operands: "vv", results: "v"},
	F32x4Abs:                      {name: "f32x4.abs", operands: "v", results: "v"},
	F32x4Neg:                      {name: "f32x4.neg", operands: "v", results: "v"},
	F32x4Sqrt:                     {name: "f32x4.sqrt", operands: "v", results: "v"},
	F32x4Add:                      {name: "f32x4.add", operands: "vv", results: "v"},
	F32x4Sub:                      {name: "f32x4.sub", operands: "vv", results: "v"},
	F32x4Mul:                      {name: "f32x4.mul", operands: "vv", results: "v"},
	F32x4Div:                      {name: "f32x4.div", operands: "vv", results: "v"},
	F32x4Min:                      {name: "f32x4.min", operands: "vv", results: "v"},
	F32x4Max:                      {name: "f32x4.max", operands: "vv", results: "v"},
	F32x4Pmin:                     {name: "f32x4.pmin", operands: "vv", results: "v"},
	F32x4Pmax:                     {name: "f32x4.pmax", operands: "vv", results: "v"},
	F64x2Abs:                      {name: "f64x2.abs", operands: "v", results: "v"},
	F64x2Neg:                      {name: "f64x2.neg", operands: "v", results: "v"},
	F64x2Sqrt:                     {name: "f64x2.sqrt", operands: "v", results: "v"},
	F64x2Add:                      {name: "f64x2.add", operands: "vv", results: "v"},
	F64x2Sub:                      {name: "f64x2.sub", operands: "vv", results: "v"},
	F64x2Mul:                      {name: "f64x2.mul", operands: "vv", results: "v"},
	F64x2Div:                      {name: "f64x2.div", operands: "vv", results: "v"},
	F64x2Min:                      {name: "f64x2.min", operands: "vv", results: "v"},
	F64x2Max:                      {name: "f64x2.max", operands: "vv", results: "v"},
	F64x2Pmin:                     {name: "f64x2.pmin", operands: "vv", results: "v"},
	F64x2Pmax:                     {name: "f64x2.pmax", operands: "vv", results: "v"},
	I32x4TruncSatF32x4S:           {name: "i32x4.trunc_sat_f32x4_s", operands: "v", results: "v"},
	I32x4TruncSatF32x4U:           {name: "i32x4.trunc_sat_f32x4_u", operands: "v", results: "v"},
	F32x4ConvertI32x4S:            {name: "f32x4.convert_i32x4_s", operands: "v", results: "v"},
	F32x4ConvertI32x4U:            {name: "f32x4.convert_i32x4_u", operands: "v", results: "v"},
	I32x4TruncSatF64x2SZero:       {name: "i32x4.trunc_sat_f64x2_s_zero", operands: "v", results: "v"},
	I32x4TruncSatF64x2UZero:       {name: "i32x4.trunc_sat_f64x2_u_zero", operands: "v", results: "v"},
	F64x2ConvertLowI32x4S:         {name: "f64x2.convert_low_i32x4_s", operands: "v", results: "v"},
	F64x2ConvertLowI32x4U:         {name: "f64x2.convert_low_i32x4_u", operands: "v", results: "v"},
	I8x16RelaxedSwizzle:           {name: "i8x16.relaxed_swizzle", operands: "vv", results: "v"},
	I32x4RelaxedTruncF32x4S:       {name: "i32x4.relaxed_trunc_f32x4_s", operands: "v", results: "v"},
	I32x4RelaxedTruncF32x4U:       {name: "i32x4.relaxed_trunc_f32x4_u", operands: "v", results: "v"},
	I32x4RelaxedTruncF64x2SZero:   {name: "i32x4.relaxed_trunc_f64x2_s_zero", operands: "v", results: "v"},
	I32x4RelaxedTruncF64x2UZero:   {name: "i32x4.relaxed_trunc_f64x2_u_zero", operands: "v", results: "v"},
	F32x4RelaxedMadd:              {name: "f32x4.relaxed_madd", operands: "vvv", results: "v"},
	F32x4RelaxedNmadd:             {name: "f32x4.relaxed_nmadd", operands: "vvv", results: "v"},
	F64x2RelaxedMadd:              {name: "f64x2.relaxed_madd", operands: "vvv", results: "v"},
	F64x2RelaxedNmadd:             {name: "f64x2.relaxed_nmadd", operands: "vvv", results: "v"},
	I8x16RelaxedLaneselect:        {name: "i8x16.relaxed_laneselect", operands: "vvv", results: "v"},
	I16x8RelaxedLaneselect:        {name: "i16x8.relaxed_laneselect", operands: "vvv", results: "v"},
	I32x4RelaxedLaneselect:        {name: "i32x4.relaxed_laneselect", operands: "vvv", results: "v"},
	I64x2RelaxedLaneselect:        {name: "i64x2.relaxed_laneselect", operands: "vvv", results: "v"},
	F32x4RelaxedMin:               {name: "f32x4.relaxed_min", operands: "vv", results: "v"},
	F32x4RelaxedMax:               {name: "f32x4.relaxed_max", operands: "vv", results: "v"},
	F64x2RelaxedMin:               {name: "f64x2.relaxed_min", operands: "vv", results: "v"},
	F64x2RelaxedMax:               {name: "f64x2.relaxed_max", operands: "vv", results: "v"},
	I16x8RelaxedQ15mulrS:          {name: "i16x8.relaxed_q15mulr_s", operands: "vv", results: "v"},
	I16x8RelaxedDotI8x16I7x16S:    {name: "i16x8.relaxed_dot_i8x16_i7x16_s", operands: "vv", results: "v"},
	I32x4RelaxedDotI8x16I7x16AddS: {name: "i32x4.relaxed_dot_i8x16_i7x16_add_s", operands: "vvv", results: "v"},
	MemoryAtomicNotify:            {name: "memory.atomic.notify", operands: "ii", results: "i", imm: immMem, align: 2},
	MemoryAtomicWait32:            {name: "memory.atomic.wait32", operands: "iiI", results: "i", imm: immMem, align: 2},
	MemoryAtomicWait64:            {name: "memory.atomic.wait64", operands: "iII", results: "i", imm: immMem, align: 3},
	I32AtomicLoad:                 {name: "i32.atomic.load", operands: "i", results: "i", imm: immMem, align: 2},
	I64AtomicLoad:                 {name: "i64.atomic.load", operands: "i", results: "I", imm: immMem, align: 3},
	I32AtomicLoad8U:               {name: "i32.atomic.load8_u", operands: "i", results: "i", imm: immMem, align: 0},
	I32AtomicLoad16U:              {name: "i32.atomic.load16_u", operands: "i", results: "i", imm: immMem, align: 1},
	I64AtomicLoad8U:               {name: "i64.atomic.load8_u", operands: "i", results: "I", imm: immMem, align: 0},
	I64AtomicLoad16U:              {name: "i64.atomic.load16_u", operands: "i", results: "I", imm: immMem, align: 1},
	I64AtomicLoad32U:              {name: "i64.atomic.load32_u", operands: "i", results: "I", imm: immMem, align: 2},
	I32AtomicStore:                {name: "i32.atomic.store", operands: "ii", results: "", imm: immMem, align: 2},
	I64AtomicStore:                {name: "i64.atomic.store", operands: "iI", results: "", imm: immMem, align: 3},
	I32AtomicStore8:               {name: "i32.atomic.store8", operands: "ii", results: "", imm: immMem, align: 0},
	I32AtomicStore16:              {name: "i32.atomic.store16", operands: "ii", results: "", imm: immMem, align: 1},
	I64AtomicStore8:               {name: "i64.atomic.store8", operands: "iI", results: "", imm: immMem, align: 0},
	I64AtomicStore16:              {name: "i64.atomic.store16", operands: "iI", results: "", imm: immMem, align: 1},
	I64AtomicStore32:              {name: "i64.atomic.store32", operands: "iI", results: "", imm: immMem, align: 2},
	I32AtomicRmwAdd:               {name: "i32.atomic.rmw.add", operands: "ii", results: "i", imm: immMem, align: 2},
	I64AtomicRmwAdd:               {name: "i64.atomic.rmw.add", operands: "iI", results: "I", imm: immMem, align: 3},
	I32AtomicRmw8AddU:             {name: "i32.atomic.rmw8.add_u", operands: "ii", results: "i", imm: immMem, align: 0},
	I32AtomicRmw16AddU:            {name: "i32.atomic.rmw16.add_u", operands: "ii", results: "i", imm: immMem, align: 1},
	I64AtomicRmw8AddU:             {name: "i64.atomic.rmw8.add_u", operands: "iI", results: "I", imm: immMem, align: 0},
	I64AtomicRmw16AddU:            {name: "i64.atomic.rmw16.add_u", operands: "iI", results: "I", imm: immMem, align: 1},
	I64AtomicRmw32AddU:            {name: "i64.atomic.rmw32.add_u", operands: "iI", results: "I", imm: immMem, align: 2},
	I32AtomicRmwSub:               {name: "i32.atomic.rmw.sub", operands: "ii", results: "i", imm: immMem, align: 2},
	I64AtomicRmwSub:               {name: "i64.atomic.rmw.sub", operands: "iI", results: "I", imm: immMem, align: 3},
	I32AtomicRmw8SubU:             {name: "i32.atomic.rmw8.sub_u", operands: "ii", results: "i", imm: immMem, align: 0},
	I32AtomicRmw16SubU:            {name: "i32.atomic.rmw16.sub_u", operands: "ii", results: "i", imm: immMem, align: 1},
	I64AtomicRmw8SubU:             {name: "i64.atomic.rmw8.sub_u", operands: "iI", results: "I", imm: immMem, align: 0},
	I64AtomicRmw16SubU:            {name: "i64.atomic.rmw16.sub_u", operands: "iI", results: "I", imm: immMem, align: 1},
	I64AtomicRmw32SubU:            {name: "i64.atomic.rmw32.sub_u", operands: "iI", results: "I", imm: immMem, align: 2},
	I32AtomicRmwAnd:               {name: "i32.atomic.rmw.and", operands: "ii", results: "i", imm: immMem, align: 2},
	I64AtomicRmwAnd:               {name: "i64.atomic.rmw.and", operands: "iI", results: "I", imm: immMem, align: 3},
	I32AtomicRmw8AndU:             {name: "i32.atomic.rmw8.and_u", operands: "ii", results: "i", imm: immMem, align: 0},
	I32AtomicRmw16AndU:            {name: "i32.atomic.rmw16.and_u", operands: "ii", results: "i", imm: immMem, align: 1},
	I64AtomicRmw8AndU:             {name: "i64.atomic.rmw8.and_u", operands: "iI", results: "I", imm: immMem, align: 0},
	I64AtomicRmw16AndU:            {name: "i64.atomic.rmw16.and_u", operands: "iI", results: "I", imm: immMem, align: 1},
	I64AtomicRmw32AndU:            {name: "i64.atomic.rmw32.and_u", operands: "iI", results: "I", imm: immMem, align: 2},
	I32AtomicRmwOr:                {name: "i32.atomic.rmw.or", operands: "ii", results: "i", imm: immMem, align: 2},
	I64AtomicRmwOr:                {name: "i64.atomic.rmw.or", operands: "iI", results: "I", imm: immMem, align: 3},
	I32AtomicRmw8OrU:              {name: "i32.atomic.rmw8.or_u", operands: "ii", results: "i", imm: immMem, align: 0},
	I32AtomicRmw16OrU:             {name: "i32.atomic.rmw16.or_u", operands: "ii", results: "i", imm: immMem, align: 1},
	I64AtomicRmw8OrU:              {name: "i64.atomic.rmw8.or_u", operands: "iI", results: "I", imm: immMem, align: 0},
	I64AtomicRmw16OrU:             {name: "i64.atomic.rmw16.or_u", operands: "iI", results: "I", imm: immMem, align: 1},
	I64AtomicRmw32OrU:             {name: "i64.atomic.rmw32.or_u", operands: "iI", results: "I", imm: immMem, align: 2},
	I32AtomicRmwXor:               {name: "i32.atomic.rmw.xor", operands: "ii", results: "i", imm: immMem, align: 2},
	I64AtomicRmwXor:               {name: "i64.atomic.rmw.xor", operands: "iI", results: "I", imm: immMem, align: 3},
	I32AtomicRmw8XorU:             {name: "i32.atomic.rmw8.xor_u", operands: "ii", results: "i", imm: immMem, align: 0},
	I32AtomicRmw16XorU:            {name: "i32.atomic.rmw16.xor_u", operands: "ii", results: "i", imm: immMem, align: 1},
	I64AtomicRmw8XorU:             {name: "i64.atomic.rmw8.xor_u", operands: "iI", results: "I", imm: immMem, align: 0},
	I64AtomicRmw16XorU:            {name: "i64.atomic.rmw16.xor_u", operands: "iI", results: "I", imm: immMem, align: 1},
	I64AtomicRmw32XorU:            {name: "i64.atomic.rmw32.xor_u", operands: "iI", results: "I", imm: immMem, align: 2},
	I32AtomicRmwXchg:              {name: "i32.atomic.rmw.xchg", operands: "ii", results: "i", imm: immMem, align: 2},
	I64AtomicRmwXchg:              {name: "i64.atomic.rmw.xchg", operands: "iI", results: "I", imm: immMem, align: 3},
	I32AtomicRmw8XchgU:            {name: "i32.atomic.rmw8.xchg_u", operands: "ii", results: "i", imm: immMem, align: 0},
	I32AtomicRmw16XchgU:           {name: "i32.atomic.rmw16.xchg_u", operands: "ii", results: "i", imm: immMem, align: 1},
	I64AtomicRmw8XchgU:            {name: "i64.atomic.rmw8.xchg_u", operands: "iI", results: "I", imm: immMem, align: 0},
	I64AtomicRmw16XchgU:           {name: "i64.atomic.rmw16.xchg_u", operands: "iI", results: "I", imm: immMem, align: 1},
	I64AtomicRmw32XchgU:           {name: "i64.atomic.rmw32.xchg_u", operands: "iI", results: "I", imm: immMem, align: 2},
	I32AtomicRmwCmpxchg:           {name: "i32.atomic.rmw.cmpxchg", operands: "iii", results: "i", imm: immMem, align: 2},
	I64AtomicRmwCmpxchg:           {name: "i64.atomic.rmw.cmpxchg", operands: "iII", results: "I", imm: immMem, align: 3},
	I32AtomicRmw8CmpxchgU:         {name: "i32.atomic.rmw8.cmpxchg_u", operands: "iii", results: "i", imm: immMem, align: 0},
	I32AtomicRmw16CmpxchgU:        {name: "i32.atomic.rmw16.cmpxchg_u", operands: "iii", results: "i", imm: immMem, align: 1},
	I64AtomicRmw8CmpxchgU:         {name: "i64.atomic.rmw8.cmpxchg_u", operands: "iII", results: "I", imm: immMem, align: 0},
	I64AtomicRmw16CmpxchgU:        {name: "i64.atomic.rmw16.cmpxchg_u", operands: "iII", results: "I", imm: immMem, align: 1},
	I64AtomicRmw32CmpxchgU:        {name: "i64.atomic.rmw32.cmpxchg_u", operands: "iII", results: "I", imm: immMem, align: 2},
}
