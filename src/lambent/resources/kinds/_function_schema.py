"""The spec and status of Function as ACK's lambda-controller v1.14.1 releases them, in `schema`'s notation."""

FUNCTION_SPEC = """
architectures:[]s, code!{imageURI:s, s3Bucket:s, s3BucketRef:REF, s3Key:s, s3ObjectVersion:s, sha256:s,
zipFile:bytes}, codeSigningConfigARN:s, codeSigningConfigRef:REF, deadLetterConfig{targetARN:s}, description:s,
durableConfig{executionTimeout:i, retentionPeriodInDays:i}, environment{variables:map<s>}, ephemeralStorage{size:i},
fileSystemConfigs[]{arn:s, localMountPath:s}, functionEventInvokeConfig{destinationConfig{onFailure{destination:s},
onSuccess{destination:s}}, functionName:s, maximumEventAgeInSeconds:i, maximumRetryAttempts:i, qualifier:s},
handler:s, imageConfig{command:[]s, entryPoint:[]s, workingDirectory:s}, kmsKeyARN:s, kmsKeyRef:REF, layers:[]s,
loggingConfig{applicationLogLevel:s, logFormat:s, logGroup:s, systemLogLevel:s}, memorySize:i, name!:s, packageType:s,
publish:b, reservedConcurrentExecutions:i, role:s, roleRef:REF, runtime:s, snapStart{applyOn:s}, tags:map<s>,
tenancyConfig^{tenantIsolationMode:s}, timeout:i, tracingConfig{mode:s}, vpcConfig{securityGroupIDs:[]s,
securityGroupRefs:[]REF, subnetIDs:[]s, subnetRefs:[]REF}
"""

FUNCTION_STATUS = """
codeSHA256:s, codeSize:i, imageConfigResponse{error{errorCode:s, message:s}, imageConfig{command:[]s, entryPoint:[]s,
workingDirectory:s}}, lastModified:s, lastUpdateStatus:s, lastUpdateStatusReason:s, lastUpdateStatusReasonCode:s,
layerStatuses[]{arn:s, codeSize:i, signingJobARN:s, signingProfileVersionARN:s}, masterARN:s, revisionID:s,
signingJobARN:s, signingProfileVersionARN:s, state:s, stateReason:s, stateReasonCode:s, version:s
"""
